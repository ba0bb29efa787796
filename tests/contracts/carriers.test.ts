import { join } from 'node:path';
import { openCarriers } from '../../adapters/carriers/router.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { startPrism } from '../adapters/carriers/prism.ts';
import { carrierData } from '../adapters/carriers/support.ts';
import { carrierContract } from './carriers.ts';

carrierContract('UPS’s own Tracking specification', 'mock', async (context) => {
  const prism = await startPrism(context, join(carrierData(context), 'ups/Tracking.yaml'), '/api');
  const client = openCarriers(
    loadSettings({
      COUNTERSIGN_PROFILE: 'development',
      CARRIER_UPS_URL: prism.url,
      CARRIER_UPS_CLIENT_ID: 'an-id',
      CARRIER_UPS_CLIENT_SECRET: 'a-secret',
    }),
    createLog({ level: 'silent' }),
  );
  return { client, carrier: 'UPS', known: '1Z023E2X0214323462', close: () => prism.close() };
});
