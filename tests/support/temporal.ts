import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { connectWorker } from '../../adapters/temporal/connect.ts';
import { prepareTemporal } from '../../adapters/temporal/namespace.ts';
import { createLog } from '../../platform/log.ts';
import { setUpRuntime } from '../../workers/runtime.ts';

export type TestTemporal = {
  readonly address: string;
  /** This suite's own, with our search attributes. */
  readonly namespace: string;
  /** First part of its task queues, for `queueName`. */
  readonly queuePrefix: string;
  readonly connection: NativeConnection;
  /** On the worker's connection, so that starts can be eager. */
  readonly client: Client;
  /** Runs a worker in this namespace until it is stopped, or until `close`. */
  worker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<TestWorker>;
  /** Stops the workers and hangs up. */
  close(): Promise<void>;
};

type TestWorker = { readonly worker: Worker; stop(): Promise<void> };

/** A namespace for one suite: nobody else's worker can take its tasks. */
export async function freshNamespace(): Promise<TestTemporal> {
  beQuiet();
  const access = {
    address: temporalAddress(),
    namespace: `test-${randomBytes(6).toString('hex')}`,
    tls: undefined,
    apiKey: undefined,
  };
  await prepareTemporal(access);
  const { connection, client } = await connectWorker(access);
  const running = new Set<TestWorker>();
  return {
    address: access.address,
    namespace: access.namespace,
    queuePrefix: access.namespace,
    connection,
    client,
    worker: async (options) => {
      const made = await startWorker({ ...options, connection, namespace: access.namespace });
      running.add(made);
      return made;
    },
    close: async () => {
      await Promise.all([...running].map((worker) => worker.stop()));
      await connection.close();
    },
  };
}

export function temporalAddress(): string {
  const address = process.env['TEST_TEMPORAL_ADDRESS'];
  if (address === undefined || address === '') {
    throw new Error('TEST_TEMPORAL_ADDRESS is not set: no Temporal to test on.');
  }
  return address;
}

async function startWorker(options: WorkerOptions): Promise<TestWorker> {
  const worker = await Worker.create(options);
  const ended = worker.run();
  // Looked at by `stop`; until then a failure must not end the run as an unhandled rejection.
  ended.catch(() => undefined);
  return {
    worker,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/**
 * Temporal's own log is for operators; a test says what it found by failing. Under a flood the server throws away a
 * task for which more than a hundred signals wait, and makes another: a warning, and no defect.
 */
function beQuiet(): void {
  setUpRuntime(createLog({ level: 'error' }));
}
