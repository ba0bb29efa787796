import { openPools, inTenant, type Pools } from '../../adapters/postgres/pools.ts';
import { publishWithin } from '../../adapters/postgres/outbox.ts';
import { createEventLog } from '../../adapters/postgres/event-log.ts';
import type { EventSink, OutgoingEvent, PublishedEvent, Reaction } from '../../domain/events.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { createLog } from '../../platform/log.ts';
import { freshDatabase } from '../support/database.ts';

export const SHOP = 'manga';
const silent = createLog({ level: 'silent' });

export function outgoing(eventId: string, more: Partial<OutgoingEvent> = {}): OutgoingEvent {
  return {
    eventId,
    topic: 'refund_due',
    version: 1,
    key: 'o_1',
    payload: { order_id: 'o_1', intent_id: 'i_1' },
    at: '2026-01-02T03:04:05.678Z',
    ...more,
  };
}

export function publish(
  pools: Pick<Pools, 'write'>,
  events: readonly OutgoingEvent[],
  shop: string = SHOP,
): Promise<void> {
  return inTenant(pools.write, shop, (sql) => publishWithin(sql, shop, events));
}

/** A database with events, and dispatchers on it that are stopped with it. */
export async function openEvents() {
  const database = await freshDatabase();
  const running = new Set<{ stop(): Promise<void> }>();
  const own = new Set<Pools>();
  const log = createEventLog(database.pools);
  return {
    ...database,
    log,
    publish: (events: readonly OutgoingEvent[], shop?: string) => publish(database.pools, events, shop),
    /** A dispatcher with connections of its own, as another process has them. */
    dispatch: async (reactions: readonly Reaction[] = [], sinks: readonly EventSink[] = [], pollMs = 20) => {
      const pools = await openPools({
        writeUrl: database.writeUrl,
        readPoolSize: 1,
        writePoolSize: 1,
        superuserLogin: 'allowed',
        applicationName: 'countersign dispatcher',
      });
      own.add(pools);
      const dispatcher = startDispatcher({ pools, reactions, sinks, log: silent, pollMs });
      running.add(dispatcher);
      return dispatcher;
    },
    all: () => log.read(0, 1_000_000),
    close: async () => {
      await Promise.all([...running].map((one) => one.stop()));
      await Promise.all([...own].map((pools) => pools.close()));
      await database.drop();
    },
  };
}

export type Events = Awaited<ReturnType<typeof openEvents>>;

/** A reaction that only remembers. */
export function memory(consumer: string, topics: Reaction['topics'] = ['refund_due']) {
  const seen: PublishedEvent[] = [];
  const reaction: Reaction = {
    consumer,
    topics,
    react: async (event) => {
      seen.push(event);
    },
  };
  return { seen, reaction };
}
