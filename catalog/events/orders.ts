import { z } from 'zod';
import { ASKS_FOR } from '../../domain/order-events.ts';
import { EVENT_PROBLEMS } from '../../domain/order-lifecycle.ts';
import { ORDER_STATES } from '../../domain/orders.ts';
import { currency, instant } from '../field.ts';
import { defineEvent } from './define.ts';

// The keys of a constant; TypeScript widens them to strings.
const KINDS = Object.keys(ASKS_FOR) as (keyof typeof ASKS_FOR)[];

const order_id = z.string().describe('Order number as the shop prints it.');
const intent_id = z.string().describe('The payment intent of the order.');
const state = z.enum(ORDER_STATES);
const told = {
  kind: z.enum(KINDS).describe('What was told.'),
  source: z.enum(['checkout', 'payment', 'warehouse', 'carrier', 'timer', 'staff']).describe('By whom.'),
  event_id: z.string().describe('Id of what was told, unique in the shop.'),
};

export const orderPlaced = defineEvent({
  topic: 'order_placed',
  version: 1,
  means: 'Checkout committed: the order, its lines, its payment intent and the stock it took.',
  key: 'order_id',
  payload: z.strictObject({
    order_id,
    intent_id,
    total: z.number().describe('In the major unit of the currency.'),
    currency,
    lines: z.int().min(1).describe('How many lines it has.'),
    payment_due_at: instant.describe('When it is cancelled unless it is paid.'),
  }),
});

export const orderEventReceived = defineEvent({
  topic: 'order_event_received',
  version: 1,
  means: 'Something was told about an order; it has not been judged yet.',
  key: 'order_id',
  payload: z.strictObject({ order_id, order: z.string().describe('Internal id of the order.'), ...told }),
});

export const orderStatusChanged = defineEvent({
  topic: 'order_status_changed',
  version: 1,
  means: 'An order made one step of the diagram.',
  key: 'order_id',
  payload: z.strictObject({
    order_id,
    from: state,
    to: state,
    cause: told.kind,
    source: told.source,
    event_id: told.event_id,
    inferred: z
      .boolean()
      .describe('Nobody told of this step, and what was told cannot have happened without it.'),
    happened_at: instant.describe('When it happened, as the teller says.'),
  }),
});

export const orderEventRefused = defineEvent({
  topic: 'order_event_refused',
  version: 1,
  means: 'What was told about an order is not a step of the diagram; it is kept for people to look at.',
  key: 'order_id',
  payload: z.strictObject({ order_id, state, ...told, reason: z.enum(EVENT_PROBLEMS) }),
});

export const paymentSettled = defineEvent({
  topic: 'payment_settled',
  version: 1,
  means: 'A charge came to its end.',
  key: 'order_id',
  payload: z.strictObject({
    order_id,
    intent_id,
    outcome: z.enum(['succeeded', 'declined']),
    code: z.string().optional().describe('Why it was declined, from a fixed list.'),
  }),
});

export const refundDue = defineEvent({
  topic: 'refund_due',
  version: 1,
  means: 'Money came for an order that does not take it any more, and goes back.',
  key: 'order_id',
  payload: z.strictObject({ order_id, intent_id }),
});

export const paymentUnresolved = defineEvent({
  topic: 'payment_unresolved',
  version: 1,
  means: 'An order ended while nobody could say what became of its charge.',
  key: 'order_id',
  payload: z.strictObject({ order_id, intent_id }),
});
