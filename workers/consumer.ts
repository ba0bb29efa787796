import { setTimeout as sleep } from 'node:timers/promises';
import { bulkhead, ExponentialBackoff, timeout, TimeoutStrategy } from 'cockatiel';
import type { EventLog, EventSink, PublishedEvent, Reaction } from '../domain/events.ts';
import type { Logger } from '../platform/log.ts';
import type { Bell } from './bell.ts';

/** One reader of the log with a cursor of its own. */
export type Consumer = {
  readonly name: string;
  /** Resolves when all of them are dealt with; rejects only when told to stop. */
  deliver(events: readonly PublishedEvent[], insist: Insistence): Promise<void>;
};

/** Does it about one event until it is done, or an operator has the event left out. */
export type Insistence = (what: string, event: PublishedEvent, work: () => Promise<void>) => Promise<void>;

/** Does it until it is done; throws only once it has been told to stop. */
type Patience = <T>(what: string, work: () => Promise<T>) => Promise<T>;

const PAGE = 200;
/** Different keys are independent of each other; of one key, one event at a time. */
const AT_ONCE = 16;
/** What takes longer is tried again. */
const REACTION_MS = 30_000;
const BACKOFF = { initialDelay: 100, maxDelay: 30_000 };
/** The bell is in the process of the drainer, so this only bounds what nobody can foresee. */
const IDLE_MS = 5_000;

export type ConsumerDeps = {
  readonly events: EventLog;
  readonly bell: Bell;
  readonly signal: AbortSignal;
  readonly log: Logger;
};

/** Reads on from the cursor until `signal` is aborted. What fails is tried again for ever, ever less often. */
export async function consume(
  consumer: Consumer,
  { events, bell, signal, log }: ConsumerDeps,
): Promise<void> {
  const patience = patienceOf(consumer.name, signal, log);
  const insist = insistenceOf(consumer.name, { events, signal, log }, patience);
  let position = await patience('read its cursor', () => events.cursor(consumer.name));
  // One that has not come anywhere yet is behind, too, and must be seen to be.
  if (position === 0) await patience('make its cursor', () => events.advance(consumer.name, 0));
  while (!signal.aborted) {
    const seen = bell.rings();
    const page = await patience('read events', () => events.read(position, PAGE));
    const last = page.at(-1);
    if (last === undefined) {
      await bell.wait(seen, IDLE_MS, signal);
      continue;
    }
    await consumer.deliver(page, insist);
    await patience('advance its cursor', () => events.advance(consumer.name, last.position));
    position = last.position;
  }
}

export function consumerOfSink(sink: EventSink): Consumer {
  return {
    name: sink.name,
    deliver: async (events, insist) => {
      // What none of them stands in the way of is one trip; otherwise it is found out which one does.
      if (await isDone(() => sink.publish(events))) return;
      for (const event of events) await insist('publish', event, () => sink.publish([event]));
    },
  };
}

function isDone(work: () => Promise<void>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  );
}

export function consumerOfReaction(reaction: Reaction): Consumer {
  const slots = bulkhead(AT_ONCE, Number.POSITIVE_INFINITY);
  const limit = timeout(REACTION_MS, TimeoutStrategy.Aggressive);
  return {
    name: reaction.consumer,
    deliver: async (events, insist) => {
      const own = byKey(events.filter(({ topic }) => reaction.topics.includes(topic)));
      const done = await Promise.allSettled(
        own.map((queue) =>
          slots.execute(async () => {
            for (const event of queue) {
              await insist('react to', event, () => limit.execute(() => reaction.react(event)));
            }
          }),
        ),
      );
      for (const one of done) if (one.status === 'rejected') throw one.reason;
    },
  };
}

function byKey(events: readonly PublishedEvent[]): readonly (readonly PublishedEvent[])[] {
  const queues = new Map<string, PublishedEvent[]>();
  for (const event of events) {
    const key = JSON.stringify([event.tenant, event.key]);
    const queue = queues.get(key);
    if (queue) queue.push(event);
    else queues.set(key, [event]);
  }
  return [...queues.values()];
}

function insistenceOf(
  consumer: string,
  { events, signal, log }: Omit<ConsumerDeps, 'bell'>,
  patience: Patience,
): Insistence {
  return (what, event, work) =>
    patience(`${what} ${event.topic} ${event.position}`, async () => {
      try {
        await work();
      } catch (error) {
        if (signal.aborted || !(await isToSkip(events, consumer, event, error))) throw error;
        log.warn({ err: error, consumer, position: event.position }, 'left out an event, as told');
      }
    });
}

async function isToSkip(
  events: EventLog,
  consumer: string,
  { position }: PublishedEvent,
  error: unknown,
): Promise<boolean> {
  try {
    return await events.failed(consumer, position, String(error));
  } catch {
    // Nobody can have said so: the event's own failure is the one to tell of.
    return false;
  }
}

function patienceOf(consumer: string, signal: AbortSignal, log: Logger): Patience {
  return async (what, work) => {
    let backoff = new ExponentialBackoff(BACKOFF).next();
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ err: error, consumer, attempt }, `could not ${what}; it will be tried again`);
      }
      await sleep(backoff.duration, undefined, { signal });
      backoff = backoff.next(undefined);
    }
  };
}
