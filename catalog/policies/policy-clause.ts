import { z } from 'zod';
import { defineRead } from '../define.ts';
import { searchText } from '../field.ts';

/** Run by the platform before an action is put before people: which clause of the shop's own rules speaks of it. */
export const policyClause = defineRead({
  name: 'policy_clause',
  server: 'policies',
  title: 'Find the clause for an action',
  description: 'The clause of the policies for staff that an action falls under, verified. NEVER infer one.',
  internal: true,
  scopes: ['policy:read'],
  timeoutSeconds: 4,
  input: z.strictObject({
    kind: searchText(100).min(1).describe('Kind of policy.'),
    question: searchText(500).min(1).describe('What the clause must say something about.'),
  }),
  output: z.object({
    status: z.enum(['found', 'none']),
    clause: z
      .object({
        docId: z.string(),
        docVersion: z.string(),
        title: z.string(),
        headingPath: z.array(z.string()),
        text: z.string(),
        sourceUrl: z.string(),
        effectiveFrom: z.string().nullable(),
        digest: z.string(),
      })
      .optional(),
  }),
  say: ({ status }) => (status === 'found' ? 'A clause was found.' : 'No clause was found.'),
  examples: [
    {
      prompt: 'Which clause speaks of a reorder?',
      input: { kind: 'reorders', question: 'How many units may one reorder have?' },
    },
  ],
});
