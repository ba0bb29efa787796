import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput } from '@temporalio/worker';
import { Refusal } from '../../domain/refusal.ts';
import { refusalInterceptor } from '../../workers/refusal-interceptor.ts';
import { silent } from './stage.ts';

describe('what an activity fails with', () => {
  const input: ActivityExecuteInput = { args: [], headers: {} };

  async function thrown(error: unknown): Promise<unknown> {
    const { execute } = refusalInterceptor(silent);
    try {
      await execute?.(input, async () => {
        throw error;
      });
    } catch (failure) {
      return failure;
    }
    return undefined;
  }

  it('is a failure that nobody retries, with code and facts, when it is a refusal', async () => {
    const failure = await thrown(new Refusal('above_max_stock', 'No room.', { room: 3 }));
    assert.ok(failure instanceof ApplicationFailure);
    assert.deepEqual(
      [failure.type, failure.message, failure.nonRetryable, failure.details],
      ['above_max_stock', 'No room.', true, [{ room: 3 }]],
    );
  });

  it('is the fault itself otherwise', async () => {
    const fault = new Error('connection reset');
    assert.equal(await thrown(fault), fault);
  });

  it('names the SQLSTATE and never the value that a database repeats', async () => {
    const error = Object.assign(new Error('invalid input syntax for type integer: "kenji@example.com"'), {
      code: '22P02',
    });
    const failure = await thrown(error);
    assert.ok(failure instanceof ApplicationFailure);
    assert.equal(failure.nonRetryable, false);
    assert.doesNotMatch(`${failure.message}${failure.stack}${String(failure.cause)}`, /kenji/);
  });
});
