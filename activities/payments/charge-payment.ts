import type {
  Charged,
  ChargeStep,
  IntentState,
  PaymentIntent,
  PaymentLedger,
  PaymentProvider,
} from '../../domain/payments.ts';
import { PaymentUnknown } from '../../domain/payments.ts';

/** Which payment. Everything else is read from Postgres, so that a forged task can do nothing of its own. */
export type PaymentTask = { readonly tenant: string; readonly intentId: string };

export type PaymentDeps = {
  readonly ledger: PaymentLedger;
  /** Undefined: this installation has no card processor, and cards are declined. */
  readonly provider: PaymentProvider | undefined;
};

/**
 * Asks for an order's money once; what became of it is told to the order in the transaction that writes it down. A repeat never charges again: a lost answer
 * is unknown, and the provider is asked what it did before anything else is.
 *
 * Answers with the intent's state; undefined when there is nothing to charge (no such intent, an order that does not
 * wait for money). `pending`: the provider's callback will tell the order.
 *
 * @throws {PaymentUnknown} the provider cannot be asked now. Try again: nothing is charged twice.
 */
export function chargePayment(deps: PaymentDeps) {
  return async ({ tenant, intentId }: PaymentTask): Promise<IntentState | undefined> => {
    const step = await deps.ledger.beginCharge(tenant, intentId);
    return (await taken(deps, tenant, step))?.state;
  };
}

async function taken(
  deps: PaymentDeps,
  tenant: string,
  step: ChargeStep,
): Promise<PaymentIntent | undefined> {
  if (step.kind === 'nothing') return undefined;
  const { intent } = step;
  if (step.kind === 'known') return intent;
  if (intent.provider === 'gift_card') return deps.ledger.chargeGiftCard(tenant, intent.intentId);
  const charged = await askedFor(deps, tenant, step);
  if (charged === undefined) {
    await deps.ledger.abandon(tenant, intent.intentId);
    return deps.ledger.find(tenant, intent.intentId);
  }
  return (await deps.ledger.settle(tenant, intent.intentId, charged)).intent;
}

/** Undefined: the provider has never heard of it, and it may not be asked any more. */
async function askedFor(
  { provider }: PaymentDeps,
  tenant: string,
  step: Extract<ChargeStep, { kind: 'charge' | 'look' }>,
): Promise<Charged | undefined> {
  if (provider === undefined) return { outcome: 'declined', chargeRef: null, code: 'no_provider' };
  const { intentId, methodRef, amount } = step.intent;
  if (step.kind === 'look') {
    const found = await provider.find(intentId);
    if (found !== undefined || !step.mayCharge) return found;
  }
  try {
    return await provider.charge({ tenant, intentId, methodRef, amount });
  } catch (error) {
    if (!(error instanceof PaymentUnknown)) throw error;
    // The answer was lost, and with luck only the answer.
    const found = await provider.find(intentId);
    if (found === undefined) throw error;
    return found;
  }
}
