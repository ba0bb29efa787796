export { orderLifecycle } from './order-lifecycle.ts';
export { policyIngest } from './policy-ingest.ts';
export { policyKeeper } from './policy-keeper.ts';
export { promotionTimer } from './promotion-timer.ts';
export { runAction } from './run-action.ts';
export { runRead } from './run-read.ts';
export { settlePayment } from './settle-payment.ts';
export { writeAudit } from './write-audit.ts';
