import type { OrderState } from './orders.ts';

type Words = { readonly message: string; readonly nextStep: string };

/** Each state in words for the customer, and what comes next (document 000, state diagram). */
const WORDS: Readonly<Record<OrderState, Words>> = {
  Placed: {
    message: 'We have received your order.',
    nextStep: 'Payment will be requested next.',
  },
  PaymentPending: {
    message: 'We are waiting for your payment.',
    nextStep: 'Your order is confirmed as soon as the payment arrives, and cancelled if it does not.',
  },
  Confirmed: {
    message: 'Your payment has arrived and your order is confirmed.',
    nextStep: 'The warehouse will pack it next.',
  },
  Packed: {
    message: 'Your order is packed.',
    nextStep: 'It will be handed to the carrier next.',
  },
  Shipped: {
    message: 'Your order is on its way.',
    nextStep: 'The carrier will bring it out for delivery next.',
  },
  OutForDelivery: {
    message: 'Your order is out for delivery.',
    nextStep: 'It will be delivered next.',
  },
  Delivered: {
    message: 'Your order has been delivered.',
    nextStep: 'Nothing more will happen.',
  },
  DeliveryFailed: {
    message: 'Your order could not be delivered.',
    nextStep: 'It will be returned to us next.',
  },
  ReturnInitiated: {
    message: 'Your order is on its way back to us.',
    nextStep: 'The refund will be made once it has been received.',
  },
  Cancelled: {
    message: 'Your order was cancelled.',
    nextStep: 'Nothing more will happen.',
  },
  Refunded: {
    message: 'Your order was refunded.',
    nextStep: 'Nothing more will happen.',
  },
};

const TRAVELLING: ReadonlySet<OrderState> = new Set(['Shipped', 'OutForDelivery']);

/** `eta`: estimated delivery, ISO 8601, when the carrier has named one. */
export function wordsFor(state: OrderState, eta: string | null): Words {
  const { message, nextStep } = WORDS[state];
  return eta !== null && TRAVELLING.has(state)
    ? { message, nextStep: `${nextStep} Estimated delivery: ${eta}.` }
    : { message, nextStep };
}
