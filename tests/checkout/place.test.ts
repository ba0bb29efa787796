import assert from 'node:assert/strict';
import { checkData } from '../../adapters/postgres/upkeep/check.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import type { CheckoutRequest } from '../../domain/checkout.ts';
import { Refusal } from '../../domain/refusal.ts';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';
import type { Rows } from '../support/rows.ts';
import { ask, checkoutOn, everything, method, NOW, openStore, request, shelves } from './shop.ts';

const refusedWith = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

describe('a checkout, in its one transaction', () => {
  let db: TestDatabase;
  let rows: Rows;
  let shop: string;
  let shops = 0;
  before(async () => {
    db = await freshDatabase();
  });
  after(() => db.drop());
  beforeEach(async () => {
    shop = `shop_${(shops += 1)}`;
    rows = await openStore(db, shop);
    await rows.position({ sku: 'T-1', warehouse: 'A', quantity: 5, reserved: 1 });
    await rows.position({ sku: 'T-1', warehouse: 'B', quantity: 2 });
    await rows.position({ sku: 'T-2', warehouse: 'A', quantity: 1 });
  });
  const place = (more: Partial<CheckoutRequest> = {}) => checkoutOn(db).place(request(shop, more));

  it('writes order, lines, intent, allocations, history and outbox row, and takes the stock', async () => {
    const placed = await place({
      items: [
        { mangaId: 'T', volumeNumber: 1, quantity: 2 },
        { sku: 'T-2', quantity: 1 },
      ],
    });
    const [written] = await ask(
      db,
      shop,
      `select o.status, o.total_amount::text, o.ship_city, o.user_id, o.order_date,
              (select count(*)::int from order_items where order_id = o.id) as lines,
              (select state || ' ' || amount from payment_intents where order_id = o.id) as intent,
              (select sum(quantity)::int from order_allocations where order_id = o.id) as units,
              (select to_status || ' ' || cause from order_status_history where order_id = o.id) as history,
              (select payload->>'order_id' from event_outbox where topic = 'order_placed') as told
         from orders o where o.order_id = $1`,
      [placed.orderId],
    );
    assert.deepEqual(written, {
      status: 'Placed',
      total_amount: '2200.00',
      ship_city: 'Osaka',
      user_id: 'u_1',
      order_date: NOW,
      lines: 2,
      intent: 'requires_charge 2200.00',
      units: 3,
      history: 'Placed checkout',
      told: placed.orderId,
    });
    assert.deepEqual([await shelves(db, shop, 'T-1'), await shelves(db, shop, 'T-2')], ['A:3 B:2', 'A:0']);
  });

  it('keeps every rule that the data must keep', async () => {
    await place({ items: [{ sku: 'T-1', quantity: 2 }] });
    const broken = (await checkData(db.pools)).filter(({ violations }) => violations > 0);
    assert.deepEqual(broken, []);
  });

  it('takes from several warehouses only what no single one has, and never what is reserved', async () => {
    await place({ items: [{ sku: 'T-1', quantity: 6 }] });
    assert.equal(await shelves(db, shop, 'T-1'), 'A:1 B:0');
  });

  it('adds up two lines of one product before it looks at the stock', async () => {
    await assert.rejects(
      place({
        items: [
          { sku: 'T-1', quantity: 4 },
          { mangaId: 'T', volumeNumber: 1, quantity: 3 },
        ],
      }),
      refusedWith('sold_out'),
    );
  });

  it('sells the last unit to one of twenty rivals', async () => {
    const rivals = Array.from({ length: 20 }, (_, n) =>
      place({ key: `rival-${n}`, items: [{ sku: 'T-2', quantity: 1 }] }),
    );
    const outcomes = await Promise.allSettled(rivals);
    const refused = outcomes.filter(
      (one) => one.status === 'rejected' && refusedWith('sold_out')(one.reason),
    );
    assert.deepEqual([outcomes.filter((one) => one.status === 'fulfilled').length, refused.length], [1, 19]);
    assert.equal(await shelves(db, shop, 'T-2'), 'A:0');
  });

  it('lets carts with the same things in opposite order wait for each other, and not for ever', async () => {
    await rows.run('update inventory set quantity = 100');
    const there = [
      { sku: 'T-1', quantity: 1 },
      { sku: 'T-2', quantity: 1 },
    ];
    const carts = Array.from({ length: 20 }, (_, n) =>
      place({ key: `cart-${n}`, items: n % 2 === 0 ? there : there.toReversed() }),
    );
    assert.equal((await Promise.allSettled(carts)).filter(({ status }) => status === 'fulfilled').length, 20);
  });

  it('leaves nothing of three lines when the intent cannot be written', async () => {
    await rows.position({ sku: 'T-3', warehouse: 'A', quantity: 1 });
    const before = await everything(db, shop);
    await asAdmin(
      (admin) =>
        admin.query(`alter table payment_intents add constraint broken check (amount < 0) not valid`),
      db.adminUrl,
    );
    try {
      await assert.rejects(place({ items: ['T-1', 'T-2', 'T-3'].map((sku) => ({ sku, quantity: 1 })) }), {
        constraint: 'broken',
      });
    } finally {
      await asAdmin(
        (admin) => admin.query('alter table payment_intents drop constraint broken'),
        db.adminUrl,
      );
    }
    assert.equal(await everything(db, shop), before);
  });

  for (const [what, more, code] of [
    ['what is sold out', { items: [{ sku: 'T-2', quantity: 2 }] }, 'sold_out'],
    ['what nobody sells', { items: [{ sku: 'nothing', quantity: 1 }] }, 'stock_not_found'],
    [
      'a volume that is none',
      { items: [{ mangaId: 'T', volumeNumber: 99, quantity: 1 }] },
      'stock_not_found',
    ],
    ['what no warehouse counts', { items: [{ sku: 'T-3', quantity: 1 }] }, 'stock_not_found'],
    ['another customer’s payment method', { paymentMethodId: 'pm_2' }, 'not_found'],
    ['a payment method of nobody’s', { paymentMethodId: 'none' }, 'not_found'],
    ['a customer of nobody’s', { customerId: 'C-99' }, 'not_found'],
    ['an unknown way to ship', { shippingMethod: 'rocket' }, 'not_found'],
    ['another total than was expected', { expectedTotal: 699 }, 'price_changed'],
  ] as const) {
    it(`refuses ${what}, and changes nothing`, async () => {
      const before = await everything(db, shop);
      await assert.rejects(place(more), refusedWith(code));
      assert.equal(await everything(db, shop), before);
    });
  }

  it('knows nobody of another shop', async () => {
    const other = `${shop}_other`;
    const foreign = await openStore(db, other);
    await foreign.customer('C-77', 'u_77');
    await method(foreign, other, 'pm_77', 'C-77', 'credit_card');
    await assert.rejects(place({ customerId: 'C-77', paymentMethodId: 'pm_77' }), refusedWith('not_found'));
    await assert.rejects(place({ paymentMethodId: 'pm_77' }), refusedWith('not_found'));
  });

  it('takes a cart of more than 25 lines', async () => {
    const items = Array.from({ length: 260 }, (_, n) => ({ sku: `L-${n}`, quantity: 1 }));
    await rows.run(
      `with p as (insert into products (shop_id, sku, name, category, price, currency)
         select $1, 'L-' || n, 'Line', 'Things', 10, 'JPY' from generate_series(0, 259) n returning id)
       insert into inventory (shop_id, product_id, warehouse_id, quantity)
       select $1, p.id, w.id, 1 from p, warehouses w where w.shop_id = $1 and w.code = 'A'`,
      [shop],
    );
    const { total } = await place({ items });
    assert.deepEqual(total, { amountMinor: 2600, currency: 'JPY' });
  });

  it('asks for what the catalogue says where a product has no price records, and for nothing else where it has', async () => {
    await rows.product({ sku: 'plain', price: 55 });
    await rows.position({ sku: 'plain', warehouse: 'A', quantity: 1 });
    assert.equal((await place({ items: [{ sku: 'plain', quantity: 1 }] })).total.amountMinor, 55);
    await rows.run(`update prices set valid_until = '2026-02-01T00:00:00Z'`);
    await assert.rejects(place(), refusedWith('price_unavailable'));
  });

  it('charges for shipping what the shop says, and nothing from the worth on that makes it free', async () => {
    await rows.run(
      `insert into shipping_methods (shop_id, code, name, cost, free_from) values ($1, 'std', 'Standard', 300, 1400)`,
      [shop],
    );
    const one = await place({ shippingMethod: 'std' });
    const two = await place({ shippingMethod: 'std', items: [{ sku: 'T-1', quantity: 2 }] });
    assert.deepEqual([one.total.amountMinor, two.total.amountMinor], [1000, 1400]);
  });

  describe('at the edge of a promotion', () => {
    const START = new Date('2026-11-21T12:30:00Z');
    const at = (ms: number) => checkoutOn(db, () => new Date(START.getTime() + ms));
    beforeEach(() =>
      rows.promotion({ sku: 'T-1', discountPct: 50, from: START.toISOString(), to: '2026-11-21T13:00:00Z' }),
    );

    for (const [says, ms, price] of [
      ['costs the old price a millisecond before', -1, 700],
      ['costs the new one on the instant', 0, 350],
      ['costs the new one a millisecond before its end', 1_800_000 - 1, 350],
      ['costs the old one again at its end', 1_800_000, 700],
    ] as const) {
      it(says, async () => {
        assert.equal((await at(ms).place(request(shop))).total.amountMinor, price);
      });
    }

    it('costs what holds when its turn comes, not when it was asked', async () => {
      let now = new Date(START.getTime() - 1);
      const waiting = await inTenant(db.pools.write, shop, async (sql) => {
        await sql.query('select from inventory for update');
        const placing = checkoutOn(db, () => now).place(request(shop));
        await blocked(db);
        now = START;
        return { placing };
      });
      assert.equal((await waiting.placing).total.amountMinor, 350);
    });
  });

  describe('repeated', () => {
    it('answers with the same order, and takes the stock once', async () => {
      const asked = request(shop);
      const first = await checkoutOn(db).place(asked);
      const again = await checkoutOn(db).place(asked);
      assert.deepEqual([again.orderId, again.replayed, again.total], [first.orderId, true, first.total]);
      assert.equal(await shelves(db, shop, 'T-1'), 'A:4 B:2');
    });

    it('places one order when the repeats come at once', async () => {
      const asked = request(shop);
      const all = await Promise.all(Array.from({ length: 10 }, () => checkoutOn(db).place(asked)));
      assert.deepEqual(
        [new Set(all.map(({ orderId }) => orderId)).size, all.filter(({ replayed }) => !replayed).length],
        [1, 1],
      );
    });

    it('refuses another request under the same key, and names the order that has it', async () => {
      const asked = request(shop);
      const { orderId } = await checkoutOn(db).place(asked);
      await assert.rejects(checkoutOn(db).place({ ...asked, requestHash: 'another' }), {
        code: 'idempotency_conflict',
        facts: { order_id: orderId },
      });
    });

    it('lets every customer have a key of the same name', async () => {
      const asked = request(shop);
      await checkoutOn(db).place(asked);
      const other = await checkoutOn(db).place({
        ...asked,
        customerId: 'C-2',
        subject: 'u_2',
        paymentMethodId: 'pm_2',
      });
      assert.equal(other.replayed, false);
    });

    it('tries again what was refused before', async () => {
      const asked = request(shop, { items: [{ sku: 'T-2', quantity: 2 }] });
      await assert.rejects(checkoutOn(db).place(asked), refusedWith('sold_out'));
      await rows.run('update inventory set quantity = 10');
      assert.equal((await checkoutOn(db).place(asked)).replayed, false);
    });
  });
});

/** Until somebody waits for a lock in this database. */
async function blocked(db: TestDatabase): Promise<void> {
  await asAdmin(async (admin) => {
    for (;;) {
      const { rows } = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) return;
    }
  }, db.adminUrl);
}
