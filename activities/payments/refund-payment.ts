import type { IntentState, PaymentIntent } from '../../domain/payments.ts';
import { PaymentUnknown } from '../../domain/payments.ts';
import type { PaymentDeps, PaymentTask } from './charge-payment.ts';

/**
 * Gives back what is due, once; and where it is not known whether anything was charged, finds out first.
 *
 * Answers with the intent's state: `refunded`, or another one that owes nothing. `charging` and `pending` mean that
 * the provider does not know yet either: ask again later. Undefined: there is no such intent.
 *
 * @throws {PaymentUnknown} the provider cannot be asked now. Try again: nothing is refunded twice.
 */
export function refundPayment({ ledger, provider }: PaymentDeps) {
  return async ({ tenant, intentId }: PaymentTask): Promise<IntentState | undefined> => {
    const found = await ledger.find(tenant, intentId);
    if (found === undefined) return undefined;
    const intent = await resolved(found, tenant);
    if (intent.state !== 'refund_due') return intent.state;
    if (intent.provider === 'gift_card') {
      await ledger.refundGiftCard(tenant, intentId);
    } else {
      const { chargeRef, amount } = intent;
      if (provider === undefined || chargeRef === null)
        throw new PaymentUnknown('There is nobody to give the money back through.');
      const { refundRef } = await provider.refund({ intentId, chargeRef, amount });
      await ledger.refunded(tenant, intentId, refundRef);
    }
    return 'refunded';
  };

  /** The intent once what was unknown about its charge is known, as far as the provider knows. */
  async function resolved(intent: PaymentIntent, tenant: string): Promise<PaymentIntent> {
    if (intent.state !== 'charging' && intent.state !== 'pending') return intent;
    const charged = intent.provider === 'card' ? await provider?.find(intent.intentId) : undefined;
    if (charged === undefined) await ledger.abandon(tenant, intent.intentId);
    else await ledger.settle(tenant, intent.intentId, charged);
    return (await ledger.find(tenant, intent.intentId)) ?? intent;
  }
}
