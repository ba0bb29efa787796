import { type Client, WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client';
import { readWebhooks } from '../activities/carriers/read-webhooks.ts';
import { voidPrices } from '../activities/pricing/void-prices.ts';
import { parsePush } from '../adapters/carriers/pushed.ts';
import { createEtaStore } from '../adapters/postgres/eta-store.ts';
import { createEventKeeping } from '../adapters/postgres/event-upkeep.ts';
import { createOrderSweep } from '../adapters/postgres/order-sweep.ts';
import { createPaymentSweep } from '../adapters/postgres/payment-sweep.ts';
import { createPromotionSweep } from '../adapters/postgres/promotion-sweep.ts';
import { createCarrierReceipts } from '../adapters/postgres/webhook-receipts.ts';
import { connectWorker, type TemporalLink } from '../adapters/temporal/connect.ts';
import type { CacheMetrics, CacheStore } from '../domain/cache.ts';
import type { CarrierMetrics } from '../domain/carriers.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Reaction } from '../domain/events.ts';
import { NUDGE, QUEUE_KINDS, type QueueKind } from '../domain/queues.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { workflowBundle } from './bundle.ts';
import { startDispatcher } from './dispatcher.ts';
import { openEventSinks } from './event-sinks.ts';
import { keepPolicies } from './keep-policies.ts';
import { keepPromotions } from './keep-promotions.ts';
import { setUpRuntime, temporalLogger } from './runtime.ts';
import { settlePayments } from './settle-payments.ts';
import { startSweeper } from './sweeper.ts';
import { wakeOrders } from './wake-orders.ts';
import { type Running, startOn } from './worker.ts';
import { openWorkshop, type WorkshopDeps } from './workshop.ts';

/** What a worker shares with its process. Without Redis, one store for all workers of a process: what one voids, none serves. */
export type Beside = {
  readonly metrics?: CacheMetrics;
  readonly carrierMetrics?: CarrierMetrics;
  readonly sharedStore?: CacheStore;
  /** Instead of those that the configuration names. */
  readonly policies?: NonNullable<WorkshopDeps['policies']>;
  /** Told of each read that this worker has answered, once its row of the record is durable. */
  readonly onAnswer?: (callId: string, output: JsonObject) => void;
};

/** What a worker of the fleet may leave to others of its process: the reads, when a gateway beside it hosts them. */
type Fleet = Beside & { readonly withoutReads?: boolean };

/** A worker of the fleet: every queue, the sweeper and the dispatcher, on a connection of its own. */
export async function startWorker(
  config: Config,
  log: Logger,
  { withoutReads = false, ...beside }: Fleet = {},
): Promise<Running> {
  setUpRuntime(log);
  const kinds = QUEUE_KINDS.filter((kind) => kind !== 'reads' || !withoutReads);
  const link = await connectWorker(config.temporal);
  const closing: (() => Promise<void>)[] = [() => link.connection.close()];
  try {
    const { workshop, stop } = await startQueues(config, log, link, kinds, 'countersign worker', beside);
    closing.unshift(stop);
    const sweeper = startSweeper({
      client: link.client,
      queuePrefix: config.temporal.queuePrefix,
      log,
      orders: createOrderSweep(workshop.pools),
      payments: createPaymentSweep(workshop.pools),
      promotions: createPromotionSweep(workshop.pools, workshop.clock, config.clockOffsetMs),
      keeping: createEventKeeping(workshop.pools),
      eventRetentionDays: config.eventRetentionDays,
      ...workshop,
    });
    closing.unshift(() => sweeper.stop());
    const keeping = keepPolicies({ client: link.client, queuePrefix: config.temporal.queuePrefix, log });
    closing.unshift(() => keeping.stop());
    const reactions: readonly Reaction[] = [
      wakeOrders({ client: link.client, queuePrefix: config.temporal.queuePrefix, lives: workshop.lives }),
      settlePayments({ client: link.client, queuePrefix: config.temporal.queuePrefix }),
      voidPrices(workshop.cache),
      readWebhooks({
        receipts: createCarrierReceipts(workshop.pools, parsePush),
        cache: workshop.cache,
        etas: createEtaStore(workshop.pools),
      }),
      keepPromotions({ client: link.client, queuePrefix: config.temporal.queuePrefix }),
    ];
    const sinks = await openEventSinks(config.events, log);
    closing.unshift(async () => void (await Promise.all(sinks.map((sink) => sink.close()))));
    const dispatcher = startDispatcher({ pools: workshop.pools, reactions, sinks, log });
    closing.unshift(() => dispatcher.stop());
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
  return { stop: () => closeAll(closing) };
}

/**
 * The gateway's own worker for reads, on the connection of the gateway's client: an eager start hands the first
 * task to a worker of the same connection.
 */
export async function startReadWorker(
  config: Config,
  log: Logger,
  link: TemporalLink,
  beside: Beside = {},
): Promise<Running> {
  const { stop } = await startQueues(config, log, link, ['reads'], 'countersign gateway reads', beside);
  return { stop };
}

async function startQueues(
  config: Config,
  log: Logger,
  { connection, client }: TemporalLink,
  kinds: readonly QueueKind[],
  applicationName: string,
  beside: Beside,
) {
  const bundle = await workflowBundle(temporalLogger(log));
  const workshop = await openWorkshop({
    config,
    log,
    applicationName,
    nudge: (actionId) => nudge(client, actionId),
    ...beside,
  });
  const { namespace, queuePrefix } = config.temporal;
  const deps = { connection, namespace, queuePrefix, bundle, log, activities: workshop.activities, onDeath };
  function onDeath(error: unknown): void {
    log.fatal({ err: error }, 'a worker ended without having been asked to');
    // A process that answers and does not work helps nobody: it drains and ends, and whoever runs it starts another.
    process.kill(process.pid, 'SIGTERM');
  }
  const running: Running[] = [];
  const stop = async () => {
    await Promise.all(running.map((worker) => worker.stop()));
    await workshop.close();
  };
  const started = await Promise.allSettled(kinds.map((kind) => startOn(kind, deps)));
  for (const one of started) if (one.status === 'fulfilled') running.push(one.value);
  const failed = started.find((one) => one.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { workshop, stop };
}

/** Postgres is the authority: a workflow that has ended, or cannot be told now, finds out when it looks. */
async function nudge(client: Client, actionId: string): Promise<void> {
  try {
    await client.workflow.getHandle(actionId).signal(NUDGE);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError) && !isGrpcServiceError(error)) throw error;
  }
}

async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closing) await close();
}
