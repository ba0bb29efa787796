import { CancellationScope, log } from '@temporalio/workflow';

type Undo = () => Promise<unknown>;

/**
 * Runs steps of which each can be taken back. An undo is registered *before* its step, so it must tolerate a step
 * that never happened. When a step fails, or the run is cancelled, the undos run newest first, in a scope that
 * cannot be cancelled; one that fails does not stop the others. The first error is what is thrown.
 */
export async function withUndo<T>(steps: (onFailure: (undo: Undo) => void) => Promise<T>): Promise<T> {
  const undos: Undo[] = [];
  try {
    return await steps((undo) => void undos.unshift(undo));
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      for (const undo of undos) await attempt(undo);
    });
    throw error;
  }
}

/** An undo's activity retries by its own policy; when that has ended, a person must look, and the rest is still undone. */
async function attempt(undo: Undo): Promise<void> {
  try {
    await undo();
  } catch (error) {
    log.error('an undo failed; what it should have taken back stands', { error });
  }
}
