/** Reads must not hold up approvals, nor carriers the reads: one task queue for each kind of work. */
export const QUEUE_KINDS = ['reads', 'slow-reads', 'actions', 'lifecycle'] as const;
export type QueueKind = (typeof QUEUE_KINDS)[number];

/** `prefix` is the installation's own, so that two installations on one Temporal never run each other's tasks. */
export function queueName(prefix: string, kind: QueueKind): string {
  return `${prefix}-${kind}`;
}

/** Workflow types, by the name Temporal knows them under. */
export const WORKFLOWS = {
  read: 'runRead',
  action: 'runAction',
  audit: 'writeAudit',
  order: 'orderLifecycle',
  promotion: 'promotionTimer',
  payment: 'settlePayment',
  policies: 'policyKeeper',
  policyRun: 'policyIngest',
} as const;

/** One name, as Signal and as Update: a ballot. */
export const APPROVAL = 'approval';
/** Signal without content: look at the action again (it may have been cancelled). */
export const NUDGE = 'nudge';

/** Signal: something was told about the order. What it was is in Postgres, and nothing is believed of the signal. */
export const ORDER_EVENT = 'order_event';
/** Signal: a promotion was changed. Postgres knows how. */
export const PROMOTION_CHANGED = 'promotion_changed';

/** Custom search attributes, all Keyword. At most ten fit the development server. */
export const SEARCH_ATTRIBUTES = [
  'ToolName',
  'ShopId',
  'RequestedBy',
  'ActionState',
  'ApproverRole',
] as const;

/** The queue of another kind in the same installation, by the name of one of its queues. */
export function siblingQueue(name: string, kind: QueueKind): string {
  // Longest first: `slow-reads` ends with `reads`, too.
  const kinds = [...QUEUE_KINDS].sort((a, b) => b.length - a.length);
  const own = kinds.find((one) => name.endsWith(`-${one}`));
  return own === undefined ? name : queueName(name.slice(0, -own.length - 1), kind);
}
