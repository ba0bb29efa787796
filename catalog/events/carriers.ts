import { z } from 'zod';
import { defineEvent } from './define.ts';

export const carrierWebhookReceived = defineEvent({
  topic: 'carrier_webhook_received',
  version: 1,
  means: 'A carrier pushed something that is kept, and that has not been read yet.',
  key: 'webhook:<receipt>',
  payload: z.strictObject({ receipt: z.string().describe('Internal id of what was pushed.') }),
});
