import { randomBytes } from 'node:crypto';
import type { Config, Environment, Settings } from '../platform/config.ts';
import { type CarrierSimulator, startCarrierSimulator } from '../simulator/carriers/server.ts';
import { type Start, webAddress } from './embedded-stack.ts';
import { followParcels } from './follow-parcels.ts';

/** Six characters, as UPS's accounts have. It pays nothing. */
export const SIMULATED_ACCOUNT = 'SIM001';

export type StartedCarrier = {
  /** The variables that say where it is. */
  readonly environment: Environment;
  /** Undefined where a real one is configured. */
  readonly simulator?: CarrierSimulator;
};

/** Starts the simulated carrier, with credentials of this start, unless UPS is configured. */
export async function startCarrier({ settings, progress, supervisor }: Start): Promise<StartedCarrier> {
  if (settings.carriers.ups !== undefined) return { environment: {} };
  const clientId = secret();
  const clientSecret = secret();
  return progress.step('Carrier', async (step) => {
    const simulator = await startCarrierSimulator({
      port: 0,
      clientId,
      clientSecret,
      clock: () => new Date(Date.now() + settings.clockOffsetMs),
    });
    await supervisor.onStop('the carrier', () => simulator.stop());
    step.note(`${simulator.url}, simulated: it carries nothing`);
    return {
      simulator,
      environment: {
        CARRIER_UPS_URL: simulator.url,
        CARRIER_UPS_CLIENT_ID: clientId,
        CARRIER_UPS_CLIENT_SECRET: clientSecret,
        CARRIER_UPS_ACCOUNT: SIMULATED_ACCOUNT,
      },
    };
  });
}

/**
 * Tells the simulated carrier of the parcels that are under way, and where to push their scans to. Answers with the
 * variables by which the gateway knows them for the carrier's.
 */
export async function informCarrier(
  simulator: CarrierSimulator,
  { progress, supervisor, settings }: Start,
  config: Config,
): Promise<Environment> {
  return progress.step('Parcels', async (step) => {
    const following = await followParcels(
      simulator,
      { ...config.database, profile: config.profile },
      progress.line,
    );
    await supervisor.onStop('the parcels', () => following.stop());
    step.note(`${following.registered} with the carrier`);
    const secrets = withSecretsFor(following.shops, settings.carrierWebhookSecrets);
    await simulator.control({ webhooks: webhooksOf(secrets, webAddress(config)) });
    return { CARRIER_WEBHOOK_SECRETS: JSON.stringify(secrets) };
  });
}

/** Where the gateway at `base` takes the scans of each shop's parcels. */
export function webhooksOf(secrets: Settings['carrierWebhookSecrets'], base: string) {
  return Object.entries(secrets['ups'] ?? {}).map(([shop, [first = '']]) => ({
    shop,
    secret: first,
    url: `${base.replace(/\/+$/, '')}/webhooks/carriers/ups`,
  }));
}

/** Shops that have none get one of this start. */
function withSecretsFor(shops: readonly string[], given: Settings['carrierWebhookSecrets']) {
  const missing = shops.map((shop) => [shop, [secret()]] as const);
  return { ...given, ups: { ...Object.fromEntries(missing), ...given['ups'] } };
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}
