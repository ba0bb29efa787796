import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { judgeOrderEvents } from '../../activities/lifecycle/judge-order-events.ts';
import { recentKey, orderKey } from '../../activities/orders/keys.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { receiveWithin } from '../../adapters/postgres/order-inbox.ts';
import { ASKS_FOR, type OrderEventKind } from '../../domain/order-events.ts';
import { isLegal, judge } from '../../domain/order-lifecycle.ts';
import { ORDER_STATES, type OrderState } from '../../domain/orders.ts';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';
import { type Life, orderBook, type OrderBook } from '../support/orders.ts';
import { openShop } from '../support/rows.ts';
import { freshCache } from '../support/world.ts';

let db: TestDatabase;
let book: OrderBook;
let other: OrderBook;
before(async () => {
  db = await freshDatabase();
  await openShop(db.pools, 'manga');
  await openShop(db.pools, 'other');
  book = await orderBook(db.pools, 'manga');
  other = await orderBook(db.pools, 'other');
});
after(() => db.drop());

const codeOf = (error: unknown) =>
  error instanceof Error && 'constraint' in error ? error.constraint : undefined;
const verdicts = async (life: Life) =>
  (await book.told(life)).map(({ kind, verdict, reason }) =>
    [kind, verdict ?? 'kept', ...(reason === null ? [] : [reason])].join(' '),
  );

describe('the database itself', () => {
  for (const from of ORDER_STATES) {
    it(`lets an order out of ${from} along the diagram, and no other way, whoever asks`, async () => {
      for (const to of ORDER_STATES.filter((state) => state !== from)) {
        const life = await book.place(from);
        const change = asAdmin(
          (admin) =>
            admin.query(
              `update orders set status = $2, fulfilled_date = case when $2 = 'Delivered' then now() end where id = $1`,
              [life.order, to],
            ),
          db.adminUrl,
        );
        if (isLegal(from, to)) await change;
        else
          await assert.rejects(
            change,
            (error) => codeOf(error) === 'orders_follow_the_diagram',
            `${from} > ${to}`,
          );
      }
    });
  }

  it('gives an event one verdict, for ever', async () => {
    const life = await book.place('Confirmed');
    await book.live(life, 'packed');
    await assert.rejects(
      book.query(`update order_events set verdict = 'refused', reason = 'x' where order_id = $1`, [
        life.order,
      ]),
      /has its verdict/,
    );
  });

  it('lets nobody who writes for a shop change or remove what was told', async () => {
    const life = await book.place('Confirmed');
    await book.tell(life, 'packed');
    for (const statement of [
      `update order_events set kind = 'delivered' where order_id = $1`,
      'delete from order_events where order_id = $1',
    ])
      await assert.rejects(book.query(statement, [life.order]), /permission denied/);
  });
});

describe('the inbox', () => {
  it('keeps an event once, with the row that wakes the workflow', async () => {
    const life = await book.place('Confirmed');
    const event = { eventId: `once:${life.order}` };
    assert.equal(await book.tell(life, 'packed', event), 'accepted');
    assert.equal(await book.tell(life, 'shipped', event), 'repeated');
    assert.deepEqual(await verdicts(life), ['packed kept']);
    const [woken, ...more] = await book.published(life);
    assert.deepEqual(woken?.payload, {
      order_id: life.orderId,
      order: life.order,
      event_id: event.eventId,
      kind: 'packed',
      source: 'warehouse',
    });
    assert.deepEqual(more, []);
  });

  it('knows no order of another shop', async () => {
    const theirs = await other.place('Confirmed');
    assert.equal(await book.tell(theirs, 'packed'), 'unknown_order');
    assert.deepEqual(await other.told(theirs), []);
  });

  it('lets two shops use one event id', async () => {
    const [mine, theirs] = [await book.place('Confirmed'), await other.place('Confirmed')];
    const event = { eventId: 'ups:1' };
    assert.equal(await book.tell(mine, 'packed', event), 'accepted');
    assert.equal(await other.tell(theirs, 'packed', event), 'accepted');
  });

  it('understands every spelling of an order number', async () => {
    const life = await book.place('Confirmed');
    const bare = life.orderId.replace('ord_', '');
    for (const orderId of [bare, `#${bare}`])
      assert.equal(await book.tell(life, 'packed', { orderId }), 'accepted');
  });

  it('keeps nothing of a transaction that is undone', async () => {
    const life = await book.place('Confirmed');
    const told = { orderId: life.orderId, kind: 'packed', eventId: 'undone', actor: 'x' } as const;
    const undone = inTenant(db.pools.write, 'manga', async (sql) => {
      await receiveWithin(sql, 'manga', { ...told, source: 'staff', happenedAt: new Date().toISOString() });
      throw new Error('undone');
    });
    await assert.rejects(undone, /undone/);
    assert.deepEqual([await book.told(life), await book.published(life)], [[], []]);
  });
});

describe('the life of an order', () => {
  it('goes from Placed to Delivered, each step once, on record and published', async () => {
    const life = await book.place('Placed', 60_000);
    await book.live(life, 'payment_succeeded', 'packed', 'shipped', 'out_for_delivery', 'delivered');
    const steps = [
      'Placed>PaymentPending',
      'PaymentPending>Confirmed',
      'Confirmed>Packed',
      'Packed>Shipped',
      'Shipped>OutForDelivery',
      'OutForDelivery>Delivered',
    ];
    assert.deepEqual(await book.walked(life), steps);
    const changes = (await book.published(life)).filter(({ topic }) => topic === 'order_status_changed');
    assert.deepEqual(
      changes.map(({ payload }) => [payload['from'], payload['to']]),
      steps.map((step) => step.split('>')),
    );
  });

  it('marks what nobody said', async () => {
    const life = await book.place('Confirmed');
    await book.live(life, 'delivered');
    assert.deepEqual(await book.walked(life), [
      'Confirmed>Packed?',
      'Packed>Shipped?',
      'Shipped>OutForDelivery?',
      'OutForDelivery>Delivered',
    ]);
  });

  it('keeps history in order, however wrong the clocks of the tellers are', async () => {
    const life = await book.place('Confirmed');
    for (const [kind, happenedAt] of [
      ['packed', '2999-01-01T00:00:00Z'],
      ['shipped', '1970-01-01T00:00:00Z'],
      ['out_for_delivery', '2026-02-01T00:00:00Z'],
    ] as const) {
      await book.tell(life, kind, { happenedAt });
      await book.lives.advance(life);
    }
    const view = (await book.lives.advance(life))?.view;
    assert.deepEqual(
      view?.history.map(({ to }) => to),
      ['Packed', 'Shipped', 'OutForDelivery'],
    );
    for (const { at } of view?.history ?? []) assert.ok(Date.parse(at) <= Date.now(), at);
  });

  it('refuses what the diagram does not have, keeps it and says so', async () => {
    const life = await book.place('Confirmed');
    await book.live(life, 'payment_failed', 'refunded');
    assert.equal(await book.state(life), 'Confirmed');
    assert.deepEqual(await verdicts(life), [
      'payment_failed refused not_in_diagram',
      'refunded refused return_missing',
    ]);
    const topics = (await book.published(life)).map(({ topic }) => topic);
    assert.equal(topics.filter((topic) => topic === 'order_event_refused').length, 2);
  });

  it('takes nothing more once it is finished', async () => {
    const life = await book.place('Delivered');
    await book.live(life, 'return_initiated', 'delivery_failed', 'delivered');
    assert.equal(await book.state(life), 'Delivered');
    assert.deepEqual(await verdicts(life), [
      'return_initiated refused order_finished',
      'delivery_failed refused order_finished',
      'delivered repeated',
    ]);
  });

  it('shows a failed attempt at the door as a note of the delivery', async () => {
    const life = await book.place('OutForDelivery');
    await book.live(life, 'delivery_failed', 'delivery_failed');
    const notes = await book.query<{ status: string; note: string }>(
      'select status, note from deliveries where order_id = $1',
      [life.order],
    );
    assert.equal(await book.state(life), 'OutForDelivery');
    assert.equal(notes.length, 1);
    assert.equal(notes[0]?.status, 'failed');
    await book.live(life, 'delivered');
    const after = await book.query('select status, note from deliveries where order_id = $1', [life.order]);
    assert.deepEqual(after, [{ status: 'delivered', note: null }]);
  });

  it('gets its shipment from the event that ships it, and a second parcel from a second event', async () => {
    const life = await book.place('Packed');
    const parcel = (trackingNumber: string) => ({
      parcel: { carrier: 'UPS', trackingNumber, estimatedDelivery: '2026-12-01T00:00:00.000Z' },
    });
    for (const number of ['1Z1', '1Z1', '1Z2']) await book.tell(life, 'shipped', parcel(number));
    await book.lives.advance(life);
    const shipments = await book.query(
      `select carrier, tracking_number, promised_delivery = estimated_delivery as promised, shipped_at is not null as shipped
         from shipments where order_id = $1 order by id`,
      [life.order],
    );
    const shipped = { carrier: 'UPS', promised: true, shipped: true };
    assert.deepEqual(shipments, [
      { ...shipped, tracking_number: '1Z1' },
      { ...shipped, tracking_number: '1Z2' },
    ]);
  });

  it('applies an event once when ten judge at the same moment', async () => {
    const life = await book.place('Confirmed');
    await book.tell(life, 'packed');
    await book.tell(life, 'shipped');
    await Promise.all(Array.from({ length: 10 }, () => book.lives.advance(life)));
    assert.deepEqual(await book.walked(life), ['Confirmed>Packed', 'Packed>Shipped']);
  });

  it('gets to everything that was told, however much it is', async () => {
    const life = await book.place('Confirmed');
    for (let n = 0; n < 120; n += 1) await book.tell(life, 'packed');
    let looks = 0;
    while ((await book.lives.advance(life))?.view.hasMore) looks += 1;
    assert.ok(looks > 1);
    assert.deepEqual(
      new Set((await book.told(life)).map(({ verdict }) => verdict)),
      new Set(['applied', 'repeated']),
    );
  });

  it('is nobody’s who names it wrongly', async () => {
    const life = await book.place('Confirmed');
    for (const forged of [
      { tenant: 'other', order: life.order },
      { tenant: '', order: life.order },
      { tenant: "manga'; --", order: life.order },
      { tenant: 'manga', order: '0 or 1=1' },
      { tenant: 'manga', order: '9'.repeat(40) },
      { tenant: 'manga', order: '999999999' },
    ])
      assert.equal(await judgeOrderEvents(book.lives, freshCache())(forged), null, JSON.stringify(forged));
  });

  it('answers with the new state at once, to the customer and to the staff', async () => {
    const life = await book.place('Confirmed');
    const cache = freshCache();
    const bare = life.orderId.replace('ord_', '');
    const keys = [{ tenant: 'manga' }, { tenant: 'manga', customerId: 'shopper' }].flatMap((scope) => [
      recentKey(scope),
      orderKey(scope, life.orderId),
      orderKey(scope, bare),
    ]);
    const read = () => Promise.all(keys.map((key) => cache.read(key, () => book.state(life).then(String))));
    assert.deepEqual(new Set((await read()).map(({ value }) => value)), new Set(['Confirmed']));
    await book.tell(life, 'packed');
    await judgeOrderEvents(book.lives, cache)(life);
    assert.deepEqual(new Set((await read()).map(({ value }) => value)), new Set(['Packed']));
  });
});

describe('an order that waits for its payment', () => {
  it('asks for it, and says how long it waits', async () => {
    const life = await book.place('Placed', 60_000);
    const view = (await book.lives.advance(life))?.view;
    assert.equal(view?.state, 'PaymentPending');
    const ms = view.payment?.dueInMs ?? 0;
    assert.ok(ms > 50_000 && ms <= 60_000, String(ms));
  });

  it('is cancelled when its time is over', async () => {
    const life = await book.place('PaymentPending', -1);
    await book.lives.advance(life);
    assert.equal(await book.state(life), 'Cancelled');
    assert.deepEqual(await verdicts(life), ['payment_timed_out applied']);
  });

  it('is not cancelled by what was paid in time and judged late', async () => {
    const life = await book.place('PaymentPending', -1);
    await book.live(life, 'payment_succeeded');
    assert.equal(await book.state(life), 'Confirmed');
  });

  it('stays cancelled when the money comes late or the provider contradicts itself', async () => {
    const life = await book.place('PaymentPending', 60_000);
    await book.live(life, 'payment_failed', 'payment_succeeded', 'payment_failed');
    assert.equal(await book.state(life), 'Cancelled');
    assert.deepEqual(await verdicts(life), [
      'payment_failed applied',
      'payment_succeeded refused order_finished',
      'payment_failed repeated',
    ]);
  });

  it('is left alone when checkout did not place it', async () => {
    const life = await book.place('Placed');
    const view = (await book.lives.advance(life))?.view;
    assert.deepEqual([view?.state, view?.payment], ['Placed', null]);
  });
});

// Object.keys of a constant: its type is lost on the way.
const KINDS = Object.keys(ASKS_FOR) as readonly OrderEventKind[];

describe('an order of several parcels', function () {
  this.timeout(60_000);

  const numbers = (count: number) => Array.from({ length: count }, (_, n) => `1Z-${n}`);
  const sent = async (state: OrderState, count: number) => {
    const life = await book.place(state);
    for (const number of numbers(count))
      await book.query(
        `insert into shipments (shop_id, order_id, carrier, tracking_number) values ('manga', $1, 'UPS', $2)`,
        [life.order, number],
      );
    return life;
  };
  /** As a carrier writes the number. */
  const arrive = (life: Life, number: string) =>
    book.tell(life, 'delivered', { parcel: { carrier: 'UPS', trackingNumber: number.replace('-', '') } });
  const notes = (life: Life) =>
    book.query('select status, note from deliveries where order_id = $1', [life.order]);

  it('is delivered with the last of them, and says until then how many are', async () => {
    const life = await sent('Shipped', 3);
    const seen = [];
    for (const number of numbers(3)) {
      await arrive(life, number);
      await book.lives.advance(life);
      seen.push([await book.state(life), ...(await notes(life))]);
    }
    const part = (note: string) => ({ status: 'in_transit', note });
    assert.deepEqual(seen, [
      ['OutForDelivery', part('1 of 3 parcels delivered.')],
      ['OutForDelivery', part('2 of 3 parcels delivered.')],
      ['Delivered', { status: 'delivered', note: null }],
    ]);
    assert.deepEqual(await book.walked(life), ['Shipped>OutForDelivery?', 'OutForDelivery>Delivered']);
    assert.deepEqual(await verdicts(life), ['delivered applied', 'delivered repeated', 'delivered applied']);
  });

  it('is not delivered by the same parcel twice', async () => {
    const life = await sent('OutForDelivery', 2);
    for (let n = 0; n < 3; n += 1) await arrive(life, '1Z-0');
    await book.lives.advance(life);
    assert.equal(await book.state(life), 'OutForDelivery');
  });

  it('is delivered once by two parcels that are judged at the same moment', async () => {
    const life = await sent('OutForDelivery', 2);
    await Promise.all(
      numbers(2).map(async (number) => {
        await arrive(life, number);
        await book.lives.advance(life);
      }),
    );
    await book.lives.advance(life);
    assert.deepEqual(await book.walked(life), ['OutForDelivery>Delivered']);
  });

  it('waits for no parcel that has no number', async () => {
    const life = await sent('OutForDelivery', 1);
    await book.query(`insert into shipments (shop_id, order_id) values ('manga', $1)`, [life.order]);
    await arrive(life, '1Z-0');
    await book.lives.advance(life);
    assert.equal(await book.state(life), 'Delivered');
  });

  it('waits for those it has, when one arrives that nobody has written down', async () => {
    const life = await sent('OutForDelivery', 1);
    await arrive(life, '1Z-unknown');
    await book.lives.advance(life);
    assert.equal(await book.state(life), 'OutForDelivery');
    await arrive(life, '1Z-0');
    await book.lives.advance(life);
    assert.equal(await book.state(life), 'Delivered');
  });

  it('keeps which parcel arrived, although the order itself is over', async () => {
    const life = await sent('Cancelled', 2);
    await arrive(life, '1Z-0');
    await book.lives.advance(life);
    const arrived = await book.query(
      `select tracking_number as number from shipments where order_id = $1 and delivered_at is not null`,
      [life.order],
    );
    assert.deepEqual(
      [await verdicts(life), arrived],
      [['delivered refused order_finished'], [{ number: '1Z-0' }]],
    );
  });

  it('is delivered as a whole by who says so of the whole', async () => {
    const life = await sent('OutForDelivery', 3);
    await book.live(life, 'delivered');
    assert.equal(await book.state(life), 'Delivered');
  });

  it('is delivered when all have arrived and not before, whatever is told in whatever order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(
          fc.tuple(fc.nat(2), fc.constantFrom('shipped', 'out_for_delivery', 'delivered'), fc.boolean()),
          {
            maxLength: 10,
          },
        ),
        async (count, scans) => {
          const life = await sent('Packed', count);
          const arrived = new Set<number>();
          for (const [n, kind, looks] of scans) {
            const number = `1Z${n % count}`;
            if (kind === 'delivered') arrived.add(n % count);
            await book.tell(life, kind, { parcel: { carrier: 'UPS', trackingNumber: number } });
            if (looks) await book.lives.advance(life);
            if (looks) assert.equal((await book.state(life)) === 'Delivered', arrived.size === count);
          }
          await book.lives.advance(life);
          assert.equal((await book.state(life)) === 'Delivered', arrived.size === count);
          const told = await book.told(life);
          assert.deepEqual(
            told.filter(({ verdict }) => verdict === 'refused'),
            [],
          );
        },
      ),
      { numRuns: 40 },
    ));
});

describe('whatever an order is told, in whatever order', function () {
  this.timeout(60_000);

  it('its history stays in the diagram, and its log in the order of its judgements leads to its state', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...ORDER_STATES),
        fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.nat(3), fc.boolean()), { maxLength: 12 }),
        async (first, events) => {
          const life = await book.place(first);
          for (const [kind, n, looks] of events) {
            await book.tell(life, kind, { eventId: `${life.order}:${kind}:${n}` });
            if (looks) await book.lives.advance(life);
          }
          await book.lives.advance(life);
          for (const step of await book.walked(life)) {
            const [from, to] = step.replace('?', '').split('>');
            // Both came from the column that the database checks.
            assert.ok(isLegal(from as OrderState, to as OrderState), step);
          }
          const replayed = (await book.told(life)).reduce((state, told) => {
            const judgement = judge(state, new Set(), told);
            assert.equal(judgement.verdict, told.verdict);
            return judgement.verdict === 'applied' ? ASKS_FOR[told.kind] : state;
          }, first);
          assert.equal(await book.state(life), replayed);
        },
      ),
      { numRuns: 60 },
    ));
});
