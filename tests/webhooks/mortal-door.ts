/** A gateway with the carriers' door that dies right after it has kept what it was told. Started by kills.test.ts. */
import { openPools } from '../../adapters/postgres/pools.ts';
import { createCarrierMailbox } from '../../adapters/postgres/webhook-receipts.ts';
import { startWire } from '../gateway/wire.ts';
import { NOW, SECRETS } from './office.ts';

const { DATABASE = '', DIES_BEFORE_ANSWER = '' } = process.env;

const pools = await openPools({
  writeUrl: DATABASE,
  readPoolSize: 1,
  writePoolSize: 2,
  superuserLogin: 'allowed',
});
const mailbox = createCarrierMailbox(pools);
const wire = await startWire({
  carriers: {
    mailbox: {
      keep: async (push) => {
        const kept = await mailbox.keep(push);
        if (DIES_BEFORE_ANSWER === '') return kept;
        process.kill(process.pid, 'SIGKILL');
        return new Promise<never>(() => undefined);
      },
    },
    secrets: SECRETS,
    now: () => NOW,
  },
});
process.send?.(wire.url);
