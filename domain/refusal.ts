import type { JsonObject } from './json.ts';

/** Every expected "no" this product can give. The code is wire format: clients and the audit log read it. */
export const REFUSAL_CODES = [
  // The caller
  'unauthenticated',
  'forbidden',
  'insufficient_scope',
  'unknown_tool',
  'invalid_arguments',
  'not_found',
  // The approval
  'approval_denied',
  'approval_expired',
  'approval_void',
  'approval_missing',
  'action_cancelled',
  'action_closed',
  'idempotency_conflict',
  'plan_unsealed',
  'requester_revoked',
  'no_person',
  // The business
  'stock_not_found',
  'above_max_stock',
  'sold_out',
  'price_unavailable',
  'price_changed',
  'product_not_found',
  'promotion_overlaps',
  'promotion_in_past',
  'promotion_over',
  // The house
  'busy',
  'unavailable',
  'outcome_unknown',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/**
 * An expected no: shown to the caller, never retried.
 *
 * `message` and `facts` are built from constants and validated input only, never from text that a
 * customer, supplier, carrier or document wrote: both reach a model.
 */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly facts: JsonObject;

  constructor(code: RefusalCode, message: string, facts: JsonObject = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.facts = facts;
  }
}

export function isRefusalCode(text: string): text is RefusalCode {
  // The cast widens the tuple so that any string may be looked up in it.
  return (REFUSAL_CODES as readonly string[]).includes(text);
}
