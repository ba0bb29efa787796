import { type Duty, takeDuty } from '../adapters/postgres/drainer.ts';
import { createEventLog } from '../adapters/postgres/event-log.ts';
import type { Pools } from '../adapters/postgres/pools.ts';
import type { EventSink, Reaction } from '../domain/events.ts';
import type { Logger } from '../platform/log.ts';
import { createBell } from './bell.ts';
import { consume, consumerOfReaction, consumerOfSink } from './consumer.ts';

export type DispatcherDeps = {
  readonly pools: Pick<Pools, 'system'>;
  readonly reactions: readonly Reaction[];
  /** Closed by whoever opened them. */
  readonly sinks: readonly EventSink[];
  readonly log: Logger;
  /** How often the outbox is looked at unasked, and how often a process without the duty asks for it. */
  readonly pollMs?: number;
};

const BATCH = 500;

/**
 * Publishes what the outbox holds, and brings it to everything that reads the log. Of all processes that run one, the
 * one that holds a lock in Postgres is on duty; the others stand by. A process that dies at any point leaves its
 * successor the queue and the cursors: nothing is lost, and what was under way comes again.
 */
export function startDispatcher(deps: DispatcherDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = attend(deps, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function attend(deps: DispatcherDeps, stopped: AbortSignal): Promise<void> {
  const { pools, log, pollMs = 1_000 } = deps;
  const outbox = createBell();
  while (!stopped.aborted) {
    try {
      const duty = await takeDuty(pools, () => outbox.ring());
      if (duty) await onDuty(duty, outbox, deps, stopped);
    } catch (error) {
      log.warn({ err: error }, 'the outbox could not be read; it will be tried again');
    }
    await outbox.wait(outbox.rings(), pollMs, stopped);
  }
}

type Outbox = ReturnType<typeof createBell>;

async function onDuty(duty: Duty, outbox: Outbox, deps: DispatcherDeps, stopped: AbortSignal): Promise<void> {
  const { pools, reactions, sinks, log, pollMs = 1_000 } = deps;
  const ended = new AbortController();
  const signal = AbortSignal.any([stopped, duty.lost, ended.signal]);
  const published = createBell();
  const consumers = [...reactions.map(consumerOfReaction), ...sinks.map(consumerOfSink)];
  const reading = consumers.map((consumer) =>
    consume(consumer, { events: createEventLog(pools), bell: published, signal, log }).catch(
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    ),
  );
  try {
    while (!signal.aborted) {
      const seen = outbox.rings();
      const moved = await duty.drain(BATCH);
      if (moved > 0) published.ring();
      if (moved < BATCH) await outbox.wait(seen, pollMs, signal);
    }
  } finally {
    ended.abort();
    await Promise.all(reading);
    duty.release();
  }
}
