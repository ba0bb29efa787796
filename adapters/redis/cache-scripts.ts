import { createHash } from 'node:crypto';

export type Script = { readonly lua: string; readonly sha: string };

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Milliseconds by Redis's clock, the only one that ages are counted on. */
const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** A key may hold anything somebody put there; what is not a string is as good as nothing. */
const READ = `
local function read(key)
  local text = redis.pcall('GET', key)
  return type(text) == 'string' and text or false
end`;

/** When an entry's ticket was handed out, as text; empty when there is no entry. */
const ENTRY_AT = `
local function entryAt(key)
  local text = read(key)
  return text and string.match(text, '^{"at":(%d+),') or ''
end`;

/**
 * Keys: entry, generation, mark. Arguments: a new generation, the life of a ticket.
 *
 * The generation outlives every ticket it is on: it is renewed while less than a ticket's life is left.
 */
export const LOOKUP = script(`${NOW}${READ}
local generation = read(KEYS[2])
if not generation or redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then
  generation = generation or ARGV[1]
  redis.call('SET', KEYS[2], generation, 'PX', 2 * ARGV[2])
end
return {read(KEYS[1]), generation, now(), redis.call('EXISTS', KEYS[3])}`);

/** Keys: entry, generation. Arguments: the entry, its life, its ticket's generation and instant, the life of a ticket. */
export const PUT = script(`${NOW}${READ}${ENTRY_AT}
local age = now() - ARGV[4]
local left = ARGV[2] - age
if read(KEYS[2]) ~= ARGV[3] or age < 0 or age >= tonumber(ARGV[5]) or left <= 0 then return 0 end
if (tonumber(entryAt(KEYS[1])) or 0) > tonumber(ARGV[4]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', left)
return 1`);

/**
 * Keys: entry, generation, mark, lease. Arguments: the life of the mark; channel and message for those who keep copies
 * of their own. A missing generation voids its tickets.
 *
 * What is void is void also where the user of this connection may not publish.
 */
export const INVALIDATE = script(`
redis.call('DEL', KEYS[1], KEYS[2], KEYS[4])
if tonumber(ARGV[1]) > 0 then redis.call('SET', KEYS[3], '1', 'PX', ARGV[1]) end
if ARGV[2] then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return 1`);

/** Keys: entry, lease. Arguments: owner, the life of the lease, the instant of the entry seen, or nothing. */
export const LEASE = script(`${READ}${ENTRY_AT}
if entryAt(KEYS[1]) ~= ARGV[3] then return 0 end
local holder = read(KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1`);

/** Keys: lease. Arguments: owner. */
export const RELEASE = script(`${READ}
if read(KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);
