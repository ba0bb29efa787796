import { randomBytes } from 'node:crypto';
import type { Environment } from '../platform/config.ts';
import { startPaymentSimulator } from '../simulator/payments/server.ts';
import type { Start } from './embedded-stack.ts';

/**
 * Starts the simulated card processor unless a real one is configured, and answers with the variables that say where
 * it is. Its callbacks go to the gateway that will listen on `port`.
 */
export async function startPayments(
  { settings, progress, supervisor }: Start,
  port: number,
): Promise<Environment> {
  if (settings.payments.provider !== undefined) return {};
  const key = randomBytes(24).toString('base64url');
  const secret = settings.payments.webhookSecret ?? randomBytes(24).toString('base64url');
  return progress.step('Card processor', async (step) => {
    const simulator = await startPaymentSimulator({
      port: 0,
      key,
      webhook: () => ({ url: `http://127.0.0.1:${port}/webhooks/payments/card`, secret }),
    });
    await supervisor.onStop('the card processor', () => simulator.stop());
    step.note(`${simulator.url}, simulated: it moves no money`);
    return {
      PAYMENT_PROVIDER_URL: simulator.url,
      PAYMENT_PROVIDER_KEY: key,
      PAYMENT_WEBHOOK_SECRET: secret,
    };
  });
}
