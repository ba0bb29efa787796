import type { Command } from 'commander';
import { addAsk } from './policy-ask.ts';
import { addDiff } from './policy-diff.ts';
import { addList } from './policy-list.ts';
import { addRuns } from './policy-run.ts';
import { addStatus } from './policy-status.ts';

export function register(program: Command): void {
  const policy = program
    .command('policy')
    .description('The policies: what they say, and how they are published.');
  addAsk(policy);
  addRuns(policy);
  addList(policy);
  addDiff(policy);
  addStatus(policy);
}
