import { z } from 'zod';
import { defineRead } from '../define.ts';
import { field } from '../field.ts';
import { actionState } from './action-state.ts';

export const getActionStatus = defineRead({
  name: 'get_action_status',
  server: 'platform',
  title: 'Action status',
  description: [
    'What became of an action that waits for approval or has ended: its state, the reason, and the result once executed.',
    'It approves nothing. NEVER infer that an action was executed; only status executed says so.',
  ].join('\n'),
  scopes: ['actions:read', 'approvals:read'],
  timeoutSeconds: 5,
  input: z.strictObject({ action_id: field.action_id }),
  output: actionState,
  say: ({ message }) => message,
  examples: [{ prompt: 'Was the reorder act_7Fq2 approved?', input: { action_id: 'act_7Fq2' } }],
});
