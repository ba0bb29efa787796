/** What a test card does, by the name a payment method has with the processor. Every other name is approved. */
export const TEST_CARDS = {
  tok_approve: 'approve',
  tok_decline: 'decline',
  tok_expired: 'expired',
  /** Takes the request and never answers it; nothing is charged. */
  tok_hang: 'hang',
  /** Charges, and hangs up instead of answering, the first time it is asked. */
  tok_lost: 'lost',
  /** Answers `pending`, and says how it ended by a callback. */
  tok_pending: 'pending',
  tok_pending_decline: 'pending_decline',
} as const;
export type CardBehaviour = (typeof TEST_CARDS)[keyof typeof TEST_CARDS];

const BEHAVIOURS = new Map<string, CardBehaviour>(Object.entries(TEST_CARDS));

export function behaviourOf(method: string): CardBehaviour {
  return BEHAVIOURS.get(method) ?? 'approve';
}
