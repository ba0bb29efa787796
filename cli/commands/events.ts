import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { eventLag } from '../../adapters/postgres/event-log.ts';
import { stockCheckEvent } from '../../catalog/events/stock-check-event.ts';
import { eventToWire } from '../../domain/event-wire.ts';
import { type PublishedEvent, type Topic, TOPICS } from '../../domain/events.ts';
import { counted, hottest, type HotItems, NOTHING_COUNTED } from '../../domain/hot-items.ts';
import { registerConsumers } from './event-consumers.ts';
import { whole, withLog } from './event-log.ts';
import { loadCommandSettings } from '../../platform/state.ts';
import { printable } from '../printable.ts';

const PAGE = 500;
const LOOK_MS = 1_000;

export function register(program: Command): void {
  const events = program
    .command('events')
    .description('What was published: the log, and an example of a consumer.');
  events
    .command('tail')
    .description('Print events in the order of publication.')
    .addOption(new Option('--topic <topic>', 'of one topic').choices(TOPICS))
    .option('--shop <id>', 'of one shop')
    .option('--after <position>', 'from this position on; default: the last ones', whole)
    .option('--limit <n>', 'at most this many', whole, 50)
    .option('--follow', 'go on with what comes, until interrupted')
    .option('--json', 'one JSON object per line, as on the streams')
    .action(tail);
  events
    .command('hot-items')
    .description('Count what customers ask for and the cache did not have (stock_check_event), by title.')
    .option('--shop <id>', 'whose', 'manga')
    .option('--top <n>', 'at most this many', whole, 10)
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      '\nIt resumes where it stopped: place and counts are in COUNTERSIGN_HOME/hot-items.json.',
    )
    .action(hotItems);
  registerConsumers(events);
}

type TailOptions = {
  readonly topic?: Topic;
  readonly shop?: string;
  readonly after?: number;
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
};

async function tail({ topic, shop, after, limit, follow, json }: TailOptions): Promise<void> {
  await withLog(async (log, pools) => {
    const print = json === true ? (event: PublishedEvent) => JSON.stringify(eventToWire(event)) : asLine;
    let position = after ?? Math.max((await eventLag(pools)).published - limit, 0);
    let left = follow === true ? Number.POSITIVE_INFINITY : limit;
    while (left > 0) {
      const page = await log.read(position, PAGE);
      const wanted = page
        .filter((event) => (topic ?? event.topic) === event.topic && (shop ?? event.tenant) === event.tenant)
        .slice(0, left);
      for (const event of wanted) process.stdout.write(`${print(event)}\n`);
      left -= wanted.length;
      position = page.at(-1)?.position ?? position;
      if (page.length === PAGE) continue;
      if (follow !== true) return;
      await sleep(LOOK_MS);
    }
  });
}

type HotOptions = { readonly shop: string; readonly top: number; readonly json?: true };

async function hotItems({ shop, top, json }: HotOptions): Promise<void> {
  const file = join(loadCommandSettings(process.env).home, 'hot-items.json');
  const items = await withLog(async (log, pools) => {
    const { published } = await eventLag(pools);
    const before = kept(file);
    // A log that is shorter than what was counted is another one.
    let counting = before.position > published ? NOTHING_COUNTED : before;
    for (;;) {
      const page = await log.read(counting.position, PAGE);
      const last = page.at(-1);
      if (last === undefined) return counting;
      counting = counted(counting, page.flatMap(asked), last.position);
      keep(file, counting);
    }
  });
  for (const { mangaId, times } of hottest(items, shop, top)) {
    process.stdout.write(
      json === true
        ? `${JSON.stringify({ manga_id: mangaId, times })}\n`
        : `${String(times).padStart(8)}  ${mangaId}\n`,
    );
  }
}

/** Titles that the shop has; what nobody knows is not an item. */
function asked(event: PublishedEvent) {
  if (event.topic !== 'stock_check_event') return [];
  const read = stockCheckEvent.payload.safeParse(event.payload);
  return event.version === stockCheckEvent.version && read.success && read.data.quantity !== null
    ? [{ tenant: event.tenant, mangaId: read.data.manga_id }]
    : [];
}

const KEPT = z.object({
  position: z.int().min(0),
  counts: z.record(z.string(), z.record(z.string(), z.int())),
});

function kept(file: string): HotItems {
  try {
    return KEPT.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return NOTHING_COUNTED;
    throw new Error(`${file} is not what it was: remove it, and counting starts again.`, { cause: error });
  }
}

/** Place and counts in one file that is there as a whole, before or after. */
function keep(file: string, items: HotItems): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(items));
  renameSync(`${file}.new`, file);
}

function asLine({ position, at, tenant, topic, version, key, payload }: PublishedEvent): string {
  const parts = [position, at, tenant, `${topic}.v${version}`, key, JSON.stringify(payload)];
  return printable(parts.join('  '));
}
