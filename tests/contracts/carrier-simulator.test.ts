import { openCarriers } from '../../adapters/carriers/router.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { startCarrierSimulator } from '../../simulator/carriers/server.ts';
import { carrierContract } from './carriers.ts';

const KNOWN = '1Z5R89390357567127';

carrierContract('the carrier simulator', 'carrier', async () => {
  const credentials = { clientId: 'an-id', clientSecret: 'a-secret' };
  const simulator = await startCarrierSimulator({ port: 0, ...credentials });
  await simulator.control({
    parcels: [
      { tracking_number: KNOWN, estimated_delivery: new Date(Date.now() + 86_400_000).toISOString() },
    ],
  });
  const client = openCarriers(
    loadSettings({
      COUNTERSIGN_PROFILE: 'development',
      CARRIER_UPS_URL: simulator.url,
      CARRIER_UPS_CLIENT_ID: credentials.clientId,
      CARRIER_UPS_CLIENT_SECRET: credentials.clientSecret,
      CARRIER_UPS_ACCOUNT: 'A1B2C3',
    }),
    createLog({ level: 'silent' }),
  );
  const newark = { line1: '120 Port St', city: 'Newark', region: 'NJ', postalCode: '07114', country: 'US' };
  const baldwin = {
    line1: '12911 Fork Rd',
    city: 'Baldwin',
    region: 'MD',
    postalCode: '21013',
    country: 'US',
  };
  return {
    client,
    carrier: 'UPS',
    known: KNOWN,
    unknown: '1Z5R89390300000044',
    route: { from: newark, to: baldwin },
    close: () => simulator.stop(),
  };
});
