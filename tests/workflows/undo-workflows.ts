import { proxyActivities } from '@temporalio/workflow';
import { withUndo } from '../../workflows/with-undo.ts';

/** The activities of the test, by name: each step says that it ran, or fails. */
type Steps = Record<string, () => Promise<void>>;

const steps = proxyActivities<Steps>({ startToCloseTimeout: '5s', retry: { maximumAttempts: 1 } });

async function run(name: string): Promise<void> {
  const step = steps[name];
  if (!step) throw new Error('A proxy has every activity.');
  await step();
}

/** Three steps, as a tool of several steps has them. */
export async function moveStock(): Promise<string> {
  return withUndo(async (onFailure) => {
    onFailure(() => run('releaseHold'));
    await run('holdStock');
    onFailure(() => run('cancelCarrier'));
    await run('bookCarrier');
    onFailure(() => run('moveBack'));
    await run('move');
    return 'moved';
  });
}
