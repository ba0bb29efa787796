import { proxyLocalActivities } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { answer } = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '5 seconds' });

/** The least a durable call can be: one workflow, one local activity. */
export async function floor(input: string): Promise<string> {
  return answer(input);
}
