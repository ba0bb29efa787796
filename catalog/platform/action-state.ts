import { z } from 'zod';
import { ACTION_STATES } from '../../domain/action.ts';
import { ROLES } from '../../domain/roles.ts';
import { instant } from '../field.ts';

/** An action as its requester and its approvers see it. */
export const actionState = z.object({
  status: z.enum([...ACTION_STATES, 'not_found']),
  message: z.string(),
  action_id: z.string(),
  tool: z.string().optional(),
  title: z.string().optional(),
  asks: z.string().optional().describe('What will happen, or has happened.'),
  requested_by: z.string().optional(),
  requested_at: instant.optional(),
  expires_at: instant.optional(),
  ended_at: instant.nullable().optional(),
  approval: z
    .object({ role: z.enum(ROLES), needed: z.int(), given: z.int() })
    .optional()
    .describe('Who may decide, how many must, how many have.'),
  reason: z
    .object({ code: z.string(), message: z.string() })
    .optional()
    .describe('Why it ended without being executed.'),
  result: z.record(z.string(), z.unknown()).optional().describe('What the tool answered, once executed.'),
  as_of: instant,
});
