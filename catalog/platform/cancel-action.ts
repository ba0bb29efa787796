import { z } from 'zod';
import { defineControl } from '../define.ts';
import { field } from '../field.ts';
import { actionState } from './action-state.ts';

export const cancelAction = defineControl({
  name: 'cancel_action',
  server: 'platform',
  title: 'Withdraw an action',
  description: [
    'Withdraw an action that you proposed and that has not run yet. A repeat answers the same.',
    'It cannot undo an executed action. NEVER infer that it was withdrawn; only status cancelled says so.',
  ].join('\n'),
  scopes: [
    'inventory:write',
    'promotions:write',
    'logistics:write',
    'returns:write',
    'claims:write',
    'payments:release_hold',
    'returns:initiate:self',
  ],
  timeoutSeconds: 10,
  input: z.strictObject({ action_id: field.action_id }),
  output: actionState,
  say: ({ message }) => message,
  examples: [
    { prompt: 'Withdraw the reorder act_7Fq2, we do not need it.', input: { action_id: 'act_7Fq2' } },
  ],
});
