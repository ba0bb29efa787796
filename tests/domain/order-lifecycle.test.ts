import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ASKS_FOR, type OrderEventKind } from '../../domain/order-events.ts';
import { isFinished, isLegal, judge, pathBetween, TRANSITIONS } from '../../domain/order-lifecycle.ts';
import { ORDER_STATES, type OrderState } from '../../domain/orders.ts';

/** The arrows of document 000, written down again: the code must not be its own witness. */
const DIAGRAM = `
  Placed --> PaymentPending
  PaymentPending --> Confirmed
  PaymentPending --> Cancelled
  Confirmed --> Packed
  Packed --> Shipped
  Shipped --> OutForDelivery
  OutForDelivery --> Delivered
  Shipped --> DeliveryFailed
  DeliveryFailed --> ReturnInitiated
  ReturnInitiated --> Refunded`;
const ARROWS = new Set([...DIAGRAM.matchAll(/(\w+) --> (\w+)/g)].map(([, from, to]) => `${from}>${to}`));

// Object.keys of a constant: its type is lost on the way.
const KINDS = Object.keys(ASKS_FOR) as readonly OrderEventKind[];
const NOBODY: ReadonlySet<string> = new Set();

const shown = (state: OrderState, kind: OrderEventKind, parcelsLeft = 0) => {
  const judgement = judge(state, NOBODY, { eventId: 'e', kind }, parcelsLeft);
  return judgement.verdict === 'applied'
    ? judgement.path.map(({ to, inferred }) => (inferred ? `(${to})` : to)).join(' ')
    : judgement.verdict === 'refused'
      ? judgement.reason
      : 'repeated';
};

type Told = { readonly eventId: string; readonly kind: OrderEventKind };

/** An order that is told one thing after the other, as its workflow does it. */
function live(events: readonly Told[], first: OrderState = 'Placed') {
  const judged = new Set<string>();
  const walked: string[] = [];
  let state = first;
  for (const event of events) {
    const judgement = judge(state, judged, event);
    judged.add(event.eventId);
    if (judgement.verdict !== 'applied') continue;
    for (const { from, to } of judgement.path) {
      assert.equal(from, state);
      walked.push(`${from}>${to}`);
      state = to;
    }
  }
  return { state, walked };
}

const told = fc
  .array(fc.record({ id: fc.nat(20), kind: fc.constantFrom(...KINDS) }), { maxLength: 40 })
  // One id is one event, however often it comes.
  .map((events) => events.map(({ id, kind }) => ({ eventId: `${kind}:${id}`, kind })));

describe('the diagram of an order', () => {
  it('has ten arrows', () => assert.equal(ARROWS.size, 10));

  it('has an arrow for each transition of the code, and no other', () =>
    assert.deepEqual(new Set(TRANSITIONS.map(([from, to]) => `${from}>${to}`)), ARROWS));

  for (const from of ORDER_STATES) {
    it(`leads from ${from} where it says, and nowhere else`, () => {
      const legal = ORDER_STATES.filter((to) => isLegal(from, to));
      assert.deepEqual(
        legal,
        ORDER_STATES.filter((to) => ARROWS.has(`${from}>${to}`)),
      );
    });
  }

  it('ends in Cancelled, Delivered and Refunded', () =>
    assert.deepEqual(ORDER_STATES.filter(isFinished), ['Cancelled', 'Delivered', 'Refunded']));

  it('has one way into every state, which is what makes a late event a repeated one', () => {
    for (const state of ORDER_STATES)
      assert.ok(TRANSITIONS.filter(([, to]) => to === state).length <= 1, state);
  });

  it('knows the way from any state to any other', () => {
    assert.deepEqual(pathBetween('Confirmed', 'Delivered'), [
      'Confirmed',
      'Packed',
      'Shipped',
      'OutForDelivery',
      'Delivered',
    ]);
    assert.deepEqual(pathBetween('Shipped', 'Shipped'), ['Shipped']);
    assert.equal(pathBetween('Delivered', 'Shipped'), undefined);
  });
});

describe('an event of an order', () => {
  it('walks the steps that a later scan implies, and says that they are inferred', () => {
    assert.equal(shown('Shipped', 'delivered'), '(OutForDelivery) Delivered');
    assert.equal(shown('Confirmed', 'shipped'), '(Packed) Shipped');
    assert.equal(shown('Packed', 'return_initiated'), '(Shipped) (DeliveryFailed) ReturnInitiated');
  });

  it('never makes an order paid that nobody paid', () => {
    for (const state of ['Placed', 'PaymentPending'] as const)
      for (const kind of ['packed', 'shipped', 'delivered', 'delivery_failed'] as const)
        assert.equal(shown(state, kind), 'payment_missing', `${state} ${kind}`);
    assert.equal(shown('Placed', 'payment_succeeded'), 'payment_missing');
    assert.equal(shown('Placed', 'payment_timed_out'), 'payment_missing');
  });

  it('never makes a parcel come back because money did', () => {
    for (const state of ['Confirmed', 'Packed', 'Shipped', 'DeliveryFailed'] as const)
      assert.equal(shown(state, 'refunded'), 'return_missing', state);
    assert.equal(shown('ReturnInitiated', 'refunded'), 'Refunded');
  });

  it('that comes late says nothing new', () => {
    assert.equal(shown('Delivered', 'out_for_delivery'), 'repeated');
    assert.equal(shown('Confirmed', 'payment_requested'), 'repeated');
    assert.equal(shown('Cancelled', 'payment_timed_out'), 'repeated');
  });

  it('for a finished order is refused', () => {
    assert.equal(shown('Delivered', 'return_initiated'), 'order_finished');
    assert.equal(shown('Cancelled', 'payment_succeeded'), 'order_finished');
    assert.equal(shown('Refunded', 'delivered'), 'order_finished');
  });

  it('of a failed attempt at the door is a note and no arrow', () =>
    assert.equal(shown('OutForDelivery', 'delivery_failed'), 'attempt_failed'));

  it('that contradicts the order is refused', () => {
    assert.equal(shown('Confirmed', 'payment_failed'), 'not_in_diagram');
    assert.equal(shown('DeliveryFailed', 'delivered'), 'not_in_diagram');
  });

  it('counts once, whatever the state is meanwhile', () =>
    assert.deepEqual(judge('Confirmed', new Set(['e']), { eventId: 'e', kind: 'packed' }), {
      verdict: 'repeated',
    }));
});

describe('a delivered parcel of several', () => {
  for (const [state, expected] of [
    ['Confirmed', '(Packed) (Shipped) (OutForDelivery)'],
    ['Packed', '(Shipped) (OutForDelivery)'],
    ['Shipped', '(OutForDelivery)'],
    ['OutForDelivery', 'repeated'],
    ['Delivered', 'repeated'],
    ['Placed', 'payment_missing'],
    ['PaymentPending', 'payment_missing'],
    ['Cancelled', 'order_finished'],
    ['Refunded', 'order_finished'],
    ['DeliveryFailed', 'not_in_diagram'],
    ['ReturnInitiated', 'not_in_diagram'],
  ] as const)
    it(`of an order that is ${state}: ${expected}`, () =>
      assert.equal(shown(state, 'delivered', 1), expected));

  it('counts for nothing else that is told', () => {
    for (const state of ORDER_STATES)
      for (const kind of KINDS.filter((one) => one !== 'delivered'))
        assert.equal(shown(state, kind, 3), shown(state, kind), `${state} ${kind}`);
  });

  it('delivers the order exactly when it is the last, in whatever order their scans come', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.nat(3), fc.constantFrom('shipped', 'out_for_delivery', 'delivered')), {
          maxLength: 30,
        }),
        (parcels, scans) => {
          const arrived = new Set<number>();
          let state: OrderState = 'Packed';
          for (const [n, kind] of scans) {
            if (kind === 'delivered') arrived.add(n % parcels);
            const judgement = judge(state, NOBODY, { eventId: 'e', kind }, parcels - arrived.size);
            assert.notEqual(judgement.verdict, 'refused');
            for (const { from, to } of judgement.verdict === 'applied' ? judgement.path : []) {
              assert.ok(from === state && ARROWS.has(`${from}>${to}`), `${from}>${to}`);
              state = to;
            }
            assert.equal(state === 'Delivered', arrived.size === parcels);
          }
        },
      ),
      { numRuns: 500 },
    ));
});

describe('whatever an order is told', () => {
  it('it never leaves the diagram', () =>
    fc.assert(
      fc.property(told, fc.constantFrom(...ORDER_STATES), (events, first) => {
        for (const step of live(events, first).walked) assert.ok(ARROWS.has(step), step);
      }),
      { numRuns: 500 },
    ));

  it('it is paid for before anything is packed', () =>
    fc.assert(
      fc.property(told, (events) => {
        const paid = events.some(({ kind }) => kind === 'payment_succeeded');
        const { state } = live(events);
        assert.ok(paid || ['Placed', 'PaymentPending', 'Cancelled'].includes(state), state);
      }),
      { numRuns: 500 },
    ));

  it('it ends the same when everything is told twice', () =>
    fc.assert(
      fc.property(told, (events) => {
        assert.equal(live(events.flatMap((event) => [event, event])).state, live(events).state);
        assert.equal(live([...events, ...events]).walked.join(), live(withoutRefusals(events)).walked.join());
      }),
      { numRuns: 500 },
    ));

  it('it is never in a state twice', () =>
    fc.assert(
      fc.property(told, (events) => {
        const { walked } = live(events);
        assert.equal(new Set(walked).size, walked.length);
      }),
    ));

  /** The log in the order in which it was judged, without what was not followed. */
  function withoutRefusals(events: readonly Told[]): readonly Told[] {
    const judged = new Set<string>();
    let state: OrderState = 'Placed';
    return events.filter((event) => {
      const judgement = judge(state, judged, event);
      judged.add(event.eventId);
      if (judgement.verdict === 'applied') state = ASKS_FOR[event.kind];
      return judgement.verdict === 'applied';
    });
  }
});
