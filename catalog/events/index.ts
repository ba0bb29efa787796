/** Every event that is published, one schema for each topic and version. */
import { carrierWebhookReceived } from './carriers.ts';
import type { EventSchema } from './define.ts';
import {
  orderEventReceived,
  orderEventRefused,
  orderPlaced,
  orderStatusChanged,
  paymentSettled,
  paymentUnresolved,
  refundDue,
} from './orders.ts';
import { policiesChanged } from './policies.ts';
import { promotionChanged, promotionEnded, promotionStarted } from './promotions.ts';
import { shipmentEtaChanged } from './shipments.ts';
import { stockCheckEvent } from './stock-check-event.ts';

export const events: readonly EventSchema[] = [
  stockCheckEvent,
  orderPlaced,
  orderEventReceived,
  orderStatusChanged,
  orderEventRefused,
  paymentSettled,
  refundDue,
  paymentUnresolved,
  promotionChanged,
  promotionStarted,
  promotionEnded,
  policiesChanged,
  carrierWebhookReceived,
  shipmentEtaChanged,
];
