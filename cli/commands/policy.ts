import type { Command } from 'commander';
import { addAsk } from './policy-ask.ts';

export function register(program: Command): void {
  const policy = program.command('policy').description('The policies: what they say.');
  addAsk(policy);
}
