import type { Client } from '@temporalio/client';
import { POLICY_KEEPER_ID, POLICY_NEWS } from '../domain/policy-keeping.ts';
import { queueName, WORKFLOWS } from '../domain/queues.ts';
import type { Logger } from '../platform/log.ts';
import { statusOf } from './history.ts';

type KeeperDeps = { readonly client: Client; readonly queuePrefix: string };

const LOOK_MS = 30_000;

/** Has the keeper of policies look at what is asked of it; starts it where it does not run. */
export async function wakePolicyKeeper({ client, queuePrefix }: KeeperDeps): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOWS.policies, {
    workflowId: POLICY_KEEPER_ID,
    taskQueue: queueName(queuePrefix, 'lifecycle'),
    args: [],
    signal: POLICY_NEWS,
    signalArgs: [{}],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'Keeper of the policies',
  });
}

/**
 * Starts the keeper, and again whenever somebody has ended it. A worker that starts may be configured otherwise than the
 * last one, so a keeper that runs already looks, too.
 */
export function keepPolicies(deps: KeeperDeps & { readonly log: Logger }): { stop(): Promise<void> } {
  let looking = look(true);
  const timer = setInterval(() => {
    looking = look(false);
  }, LOOK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
    },
  };

  async function look(isStart: boolean): Promise<void> {
    try {
      if (isStart || (await statusOf(deps.client, POLICY_KEEPER_ID)) !== 'RUNNING')
        await wakePolicyKeeper(deps);
    } catch (error) {
      deps.log.warn({ err: error }, 'the keeper of policies could not be started yet');
    }
  }
}
