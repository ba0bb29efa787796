import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { eventToWire } from '../../domain/event-wire.ts';
import type { EventSink, PublishedEvent } from '../../domain/events.ts';

export type RedisStreamOptions = {
  readonly url: string;
  readonly stream: string;
  /** About how many events stay; older ones remain in the Postgres log. */
  readonly maxLength: number;
  readonly onError?: (error: Error) => void;
};

const COMMAND_MS = 5_000;

/**
 * An entry's id is the event's position, which Redis takes once only: what comes again after a crash is not there
 * twice. (One that is missing among others was deleted by a consumer. One before all others can only be of another log:
 * what comes again is never as old as what was trimmed.) One script adds a whole batch and ends at its first failure, so that none is added past one that is missing.
 *
 * Keys: the stream. Arguments: its length, then position, tenant, event id and wire form of each event.
 */
const ADD = `
for i = 2, #ARGV, 4 do
  local id = ARGV[i] .. '-0'
  local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id,
    'tenant', ARGV[i + 1], 'event_id', ARGV[i + 2], 'event', ARGV[i + 3])
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'equal or smaller') then return added end
    local there = redis.call('XRANGE', KEYS[1], id, id)[1]
    local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
    if there then
      if there[2][2] ~= ARGV[i + 1] or there[2][4] ~= ARGV[i + 2] then
        return redis.error_reply('OTHERLOG position ' .. ARGV[i] .. ' of this stream holds another event')
      end
    elseif not first or tonumber(string.match(first[1], '^%d+')) > tonumber(ARGV[i]) then
      return redis.error_reply('OTHERLOG this stream is past position ' .. ARGV[i] .. ' of another log: use a new one')
    end
  end
end
return #ARGV`;
const ADD_SHA = createHash('sha1').update(ADD).digest('hex');

/** Publishes to one stream of Redis. As durable as that Redis is. Connects when it is first used, and again by itself. */
export function createRedisStream({ url, stream, maxLength, onError }: RedisStreamOptions): EventSink {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: 'countersign-events',
    commandTimeout: COMMAND_MS,
    socketTimeout: COMMAND_MS * 2,
    // Who publishes tries again; nothing is to be sent later, behind their back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
    reconnectOnError: (error) => error.message.includes('READONLY'),
  });
  redis.on('error', (error: Error) => onError?.(error));
  return {
    name: 'sink:redis',
    publish: async (events) => {
      if (events.length === 0) return;
      if (redis.status === 'wait') await redis.connect();
      const values = [maxLength, ...events.flatMap(valuesOf)];
      try {
        await redis.evalsha(ADD_SHA, 1, stream, ...values);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        await redis.eval(ADD, 1, stream, ...values);
      }
    },
    close: async () => redis.disconnect(),
  };
}

function valuesOf(event: PublishedEvent): (string | number)[] {
  return [event.position, event.tenant, event.eventId, JSON.stringify(eventToWire(event))];
}
