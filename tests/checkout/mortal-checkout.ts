/** A process that places one order, and dies before anybody could hear of it. Started by kills.test.ts. */
import { createCheckout } from '../../adapters/postgres/checkout.ts';
import { openPools } from '../../adapters/postgres/pools.ts';
import { NOW, request } from './shop.ts';

const { DATABASE = '', SHOP = '', ORDER = '', DUE_SECONDS = '' } = process.env;

const pools = await openPools({
  writeUrl: DATABASE,
  readPoolSize: 1,
  writePoolSize: 1,
  superuserLogin: 'allowed',
});
const checkout = createCheckout(pools, {
  clock: { now: () => NOW },
  realTime: { now: () => new Date() },
  paymentDueSeconds: Number(DUE_SECONDS),
  newOrderId: () => ORDER,
});
await checkout.place(request(SHOP, { items: [{ sku: 'T-1', quantity: 2 }] }));
process.kill(process.pid, 'SIGKILL');
await new Promise<never>(() => undefined);
