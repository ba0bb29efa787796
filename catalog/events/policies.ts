import { z } from 'zod';
import { defineEvent } from './define.ts';

export const policiesChanged = defineEvent({
  topic: 'policies_changed',
  version: 1,
  means: 'Which policies of the shop hold has changed: published, replaced, withdrawn or gone back to.',
  key: 'policies',
  payload: z.strictObject({
    publication: z.int().positive().describe('Number of the publication that answers from now on.'),
  }),
});
