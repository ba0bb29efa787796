import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { Refusal } from '../../domain/refusal.ts';
import type { Checkout, CheckoutRequest, PlacedOrder } from '../../domain/checkout.ts';
import type { Clock } from '../../domain/clock.ts';
import { earlierOrder, findCustomer, findPaymentMethod, takeKey } from './checkout-door.ts';
import { priceCart } from './checkout-cart.ts';
import { type WriteDeps, writeOrder } from './checkout-write.ts';
import { inTenant, isUnavailable, type Sql } from './pools.ts';
import { codeOf } from './roles.ts';

type CheckoutDeps = WriteDeps & {
  /** Business time: what decides which price and which promotion hold. */
  readonly clock: Clock;
};

/** Crockford's alphabet: no letter looks like a digit. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** As `WriteDeps.newOrderId` wants it: 50 bits, and none of the shop's orders counted out to whoever reads it. */
export function randomOrderId(): string {
  return `ord_${Array.from({ length: 10 }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')}`;
}

/** Waited for a rival's lock for as long as a statement may. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Checkout in Postgres, on the primary: one transaction, in the order key → positions → customer. */
export function createCheckout(pools: { readonly write: pg.Pool }, deps: CheckoutDeps): Checkout {
  return {
    place: async (request) => {
      const once = () => inTenant(pools.write, request.tenant, (sql) => place(sql, request, deps));
      try {
        // The key makes a second attempt safe, also when the first one's commit was what broke.
        return await once().catch((error: unknown) => {
          if (isUnavailable(error)) return once();
          throw error;
        });
      } catch (error) {
        throw asRefusal(error);
      }
    },
  };
}

async function place(sql: Sql, request: CheckoutRequest, deps: CheckoutDeps): Promise<PlacedOrder> {
  const customer = await findCustomer(sql, request.customerId);
  if (!(await takeKey(sql, customer, request))) return earlierOrder(sql, customer, request);
  const method = await findPaymentMethod(sql, customer, request.paymentMethodId);
  const cart = await priceCart(sql, request, deps.clock);
  return writeOrder(sql, { request, customer, method, cart }, deps);
}

function asRefusal(error: unknown): unknown {
  if (codeOf(error) === LOCK_NOT_AVAILABLE)
    return new Refusal('busy', 'Too many customers want the same things. Nothing was ordered; try again.');
  if (!isUnavailable(error)) return error;
  return new Refusal(
    'unavailable',
    'The database does not answer, so it is not known whether the order was placed. ' +
      'Repeat the request with the same key: it is never placed twice.',
  );
}
