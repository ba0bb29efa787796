import { randomUUID } from 'node:crypto';
import { behaviourOf, type CardBehaviour } from './cards.ts';

export type Charge = {
  readonly id: string;
  readonly idempotency_key: string;
  readonly amount: number;
  readonly currency: string;
  readonly method: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: 'succeeded' | 'pending' | 'declined';
  readonly decline_code: string | null;
  readonly refunded: number;
};

export type Refund = {
  readonly id: string;
  readonly idempotency_key: string;
  readonly charge: string;
  readonly amount: number;
  readonly status: 'succeeded';
};

export type Asked = Pick<Charge, 'amount' | 'currency' | 'method' | 'metadata'>;

/** The processor's books: what real money would have done. */
export type Books = {
  charges(): readonly Charge[];
  refunds(): readonly Refund[];
  byKey(key: string): Charge | undefined;
  /** The same key gives the same charge. `conflict`: the key belongs to another request. */
  charge(key: string, asked: Asked): { readonly charge: Charge; readonly isNew: boolean } | 'conflict';
  /** The same key gives the same refund. Undefined: there is no such charge, or nothing of it is left. */
  refund(key: string, chargeId: string, amount: number): Refund | undefined;
  /** Ends a pending charge; undefined when there is none. */
  settle(key: string, status: 'succeeded' | 'declined'): Charge | undefined;
  clear(): void;
};

export function openBooks(): Books {
  const charges = new Map<string, Charge>();
  const refunds = new Map<string, Refund>();
  const keep = (charge: Charge): Charge => {
    charges.set(charge.idempotency_key, charge);
    return charge;
  };
  return {
    charges: () => [...charges.values()],
    refunds: () => [...refunds.values()],
    byKey: (key) => charges.get(key),
    charge(key, asked) {
      const earlier = charges.get(key);
      if (earlier === undefined) return { charge: keep(begun(key, asked)), isNew: true };
      const isSame = earlier.amount === asked.amount && earlier.method === asked.method;
      return isSame ? { charge: earlier, isNew: false } : 'conflict';
    },
    refund(key, chargeId, amount) {
      const earlier = refunds.get(key);
      if (earlier) return earlier;
      const charge = [...charges.values()].find(({ id }) => id === chargeId);
      if (charge?.status !== 'succeeded' || charge.refunded + amount > charge.amount) return undefined;
      keep({ ...charge, refunded: charge.refunded + amount });
      const refund = {
        id: `re_${randomUUID()}`,
        idempotency_key: key,
        charge: chargeId,
        amount,
        status: 'succeeded',
      } as const;
      refunds.set(key, refund);
      return refund;
    },
    settle(key, status) {
      const charge = charges.get(key);
      if (charge?.status !== 'pending') return undefined;
      return keep({ ...charge, status, decline_code: status === 'declined' ? 'declined' : null });
    },
    clear() {
      charges.clear();
      refunds.clear();
    },
  };
}

function begun(key: string, asked: Asked): Charge {
  const { status, code } = ENDINGS[behaviourOf(asked.method)];
  return {
    id: `ch_${randomUUID()}`,
    idempotency_key: key,
    ...asked,
    status,
    decline_code: code,
    refunded: 0,
  };
}

const ENDINGS: Readonly<
  Record<CardBehaviour, { readonly status: Charge['status']; readonly code: string | null }>
> = {
  approve: { status: 'succeeded', code: null },
  hang: { status: 'succeeded', code: null },
  lost: { status: 'succeeded', code: null },
  decline: { status: 'declined', code: 'insufficient_funds' },
  expired: { status: 'declined', code: 'expired_card' },
  pending: { status: 'pending', code: null },
  pending_decline: { status: 'pending', code: null },
};
