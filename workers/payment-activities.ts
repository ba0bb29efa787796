import { chargePayment } from '../activities/payments/charge-payment.ts';
import { refundPayment } from '../activities/payments/refund-payment.ts';
import { createCardProcessor } from '../adapters/payments/card-processor.ts';
import { createPaymentLedger } from '../adapters/postgres/payment-ledger.ts';
import type { Pools } from '../adapters/postgres/pools.ts';
import type { Config } from '../platform/config.ts';
import type { Activities } from './activities.ts';

/** What workflows ask for about money. Each reads what to do from Postgres, and takes no more than ids. */
export function paymentActivities(pools: Pick<Pools, 'write'>, { payments }: Pick<Config, 'payments'>) {
  const deps = {
    ledger: createPaymentLedger(pools),
    provider: payments.provider && createCardProcessor(payments.provider),
  };
  return {
    charge_payment: chargePayment(deps),
    refund_payment: refundPayment(deps),
  } satisfies Activities;
}
