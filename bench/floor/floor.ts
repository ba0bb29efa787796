import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { connectWorker } from '../../adapters/temporal/connect.ts';
import type { Config } from '../../platform/config.ts';
import { settingsOf } from '../../workers/worker.ts';
import * as activities from './activities.ts';

export type Floor = { call(): Promise<unknown>; close(): Promise<void> };

/** The least a durable call costs here: the same worker settings and start options, a bare client, one local activity. */
export async function openFloor({ temporal }: Config): Promise<Floor> {
  const { connection, client } = await connectWorker(temporal);
  const taskQueue = `bench-floor-${randomUUID()}`;
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  });
  const worker = await Worker.create({
    ...settingsOf('reads'),
    connection,
    namespace: temporal.namespace,
    taskQueue,
    workflowBundle,
    activities,
  });
  const running = worker.run();
  return {
    call: () =>
      client.workflow.execute('floor', {
        taskQueue,
        workflowId: `floor-${randomUUID()}`,
        args: ['BER42'],
        requestEagerStart: true,
        workflowTaskTimeout: '3s',
      }),
    close: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
