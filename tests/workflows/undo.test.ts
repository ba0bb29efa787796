import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { bundleWorkflowCode } from '@temporalio/worker';
import { temporalLogger } from '../../workers/runtime.ts';
import { freshNamespace, type TestTemporal } from '../support/temporal.ts';
import { silent } from './stage.ts';

const NAMES = ['holdStock', 'bookCarrier', 'move', 'releaseHold', 'cancelCarrier', 'moveBack'] as const;
type Name = (typeof NAMES)[number];

/** Class of defect: half of an action that stays when the other half failed. */
describe('steps that can be undone', () => {
  let temporal: TestTemporal;
  let code: string;
  before(async () => {
    temporal = await freshNamespace();
    const workflowsPath = fileURLToPath(new URL('./undo-workflows.ts', import.meta.url));
    ({ code } = await bundleWorkflowCode({ workflowsPath, logger: temporalLogger(silent) }));
  });
  after(() => temporal.close());

  /** Runs the steps; `failing` ones fail, and `during` is called inside the step of its name. */
  async function attempt(
    failing: readonly Name[],
    during?: { readonly step: Name; act(id: string): Promise<void> },
  ) {
    const taskQueue = `undo-${randomUUID()}`;
    const workflowId = taskQueue;
    const ran: Name[] = [];
    const activities = Object.fromEntries(
      NAMES.map((name) => [
        name,
        async () => {
          ran.push(name);
          if (during?.step === name) await during.act(workflowId);
          if (failing.includes(name)) throw ApplicationFailure.nonRetryable(`${name} failed`);
        },
      ]),
    );
    const worker = await temporal.worker({ taskQueue, workflowBundle: { code }, activities });
    try {
      const result = temporal.client.workflow.execute('moveStock', { taskQueue, workflowId });
      const error: unknown = await result.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return { ran, cause: error instanceof WorkflowFailedError ? error.cause : error };
    } finally {
      await worker.stop();
    }
  }

  it('are left alone when all of them succeed', async () => {
    assert.deepEqual((await attempt([])).ran, ['holdStock', 'bookCarrier', 'move']);
  });

  it('are undone newest first, the failed one among them, since its answer may only have been lost', async () => {
    const { ran } = await attempt(['bookCarrier']);
    assert.deepEqual(ran, ['holdStock', 'bookCarrier', 'cancelCarrier', 'releaseHold']);
  });

  it('end with the error of the step, not with that of an undo', async () => {
    const { ran, cause } = await attempt(['move', 'cancelCarrier']);
    assert.deepEqual(ran.slice(3), ['moveBack', 'cancelCarrier', 'releaseHold']);
    assert.match(
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : '',
      /move failed/,
    );
  });

  it('are undone when the run is cancelled in the middle', async () => {
    const act = (id: string) =>
      temporal.client.workflow
        .getHandle(id)
        .cancel()
        .then(() => undefined);
    const { ran, cause } = await attempt([], { step: 'bookCarrier', act });
    assert.ok(cause instanceof CancelledFailure, String(cause));
    assert.deepEqual(ran.slice(-2), ['cancelCarrier', 'releaseHold']);
  });
});
