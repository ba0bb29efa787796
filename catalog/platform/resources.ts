import { z } from 'zod';
import { ROLES } from '../../domain/roles.ts';
import { defineResource } from '../define.ts';
import { instant } from '../field.ts';

export const pendingApprovals = defineResource({
  name: 'pending_approvals',
  server: 'platform',
  uri: 'approvals://pending',
  title: 'Pending approvals',
  description:
    'Actions that wait for a decision and that you asked for or may decide on, oldest first, at most 50. Reading decides nothing. NEVER infer a decision from it.',
  scopes: ['approvals:read'],
  timeoutSeconds: 5,
  params: z.strictObject({}),
  output: z.object({
    pending: z.array(
      z.object({
        action_id: z.string(),
        tool: z.string(),
        title: z.string(),
        asks: z.string().describe('What will happen.'),
        status: z.string(),
        requested_by: z.string(),
        requested_at: instant,
        expires_at: instant,
        approver_role: z.enum(ROLES),
        approvals_needed: z.int(),
        approvals_given: z.int(),
      }),
    ),
    as_of: instant,
  }),
});
