import assert from 'node:assert/strict';
import { createOrderStore } from '../../adapters/postgres/order-store.ts';
import type { OrderReader } from '../../domain/orders.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop, type Rows } from '../support/rows.ts';

const DAY = '2026-11-0';

describe('the order reader', () => {
  let db: TestDatabase;
  let orders: OrderReader;
  let rows: Rows;

  before(async () => {
    db = await freshDatabase();
    orders = createOrderStore(db.pools.read);
    rows = await openShop(db.pools, 'here', 'USD');
    for (const customer of ['cust_1', 'cust_2', '1']) await rows.customer(customer, `login-${customer}`);
    for (const sku of ['A', 'B']) await rows.product({ sku });
    await rows.product({ sku: 'M-01', volume: ['M', 1] });
    const line = { sku: 'A', quantity: 1, unitPrice: 10 };
    const place = (orderId: string, customerId: string, day: number, more: object = {}) =>
      rows.order({ orderId, customerId, date: `${DAY}${day}T10:00:00Z`, lines: [line], ...more });
    await place('#W2611340', 'cust_1', 1);
    await place('ord_456', 'cust_1', 2);
    await place('#7', 'cust_1', 3);
    await place('ord_7', 'cust_2', 4);
    await place('8', 'cust_2', 5, { status: 'Cancelled' });
    await place('twice', 'cust_2', 6, {
      lines: [
        line,
        { sku: 'A', quantity: 2, unitPrice: 9.99, discount: 0.01 },
        { sku: 'M-01', quantity: 3, unitPrice: 5 },
      ],
    });
    await place('many', 'cust_1', 7, { lines: Array.from({ length: 60 }, () => line), status: 'Delivered' });

    const other = await openShop(db.pools, 'there');
    await other.customer('cust_1', 'login-cust_1');
    await other.product({ sku: 'A' });
    await other.order({ orderId: '999', customerId: 'cust_1', date: `${DAY}8T10:00:00Z`, lines: [line] });
  });
  after(() => db.drop());

  const idOf = async (scope: object, orderId: string) =>
    (await orders.find({ tenant: 'here', ...scope }, orderId))?.orderId;

  for (const [asked, stored] of [
    ['#W2611340', '#W2611340'],
    ['W2611340', '#W2611340'],
    ['ord_456', 'ord_456'],
    ['456', 'ord_456'],
    ['#456', 'ord_456'],
    ['ord_8', '8'],
    ['#8', '8'],
  ]) {
    it(`finds ${stored} as ${asked}`, async () => {
      assert.equal(await idOf({}, asked ?? ''), stored);
    });
  }

  it('guesses neither of two orders that differ in their prefix alone', async () => {
    assert.equal(await idOf({}, '7'), undefined);
  });

  it('finds each of the two by its own spelling', async () => {
    assert.deepEqual([await idOf({}, '#7'), await idOf({}, 'ord_7')], ['#7', 'ord_7']);
  });

  it("does not let another customer's order make one's own ambiguous", async () => {
    assert.equal(await idOf({ customerId: 'cust_1' }, '7'), '#7');
  });

  it("finds nothing of another customer's order", async () => {
    assert.equal(await idOf({ customerId: 'cust_2' }, '#W2611340'), undefined);
  });

  it('takes a customer id to the letter, so that 1 is not cust_1', async () => {
    assert.equal(await idOf({ customerId: '1' }, '#W2611340'), undefined);
  });

  it("takes the public id and not the login for the customer's name", async () => {
    assert.equal(await idOf({ customerId: 'login-cust_1' }, '#W2611340'), undefined);
  });

  it('finds nothing for a customer nobody knows', async () => {
    assert.deepEqual(await orders.recent({ tenant: 'here', customerId: 'cust_99' }, 10), []);
  });

  it("finds nothing of another shop's order, though the customer has the same id", async () => {
    assert.equal(await idOf({ customerId: 'cust_1' }, '999'), undefined);
  });

  for (const hostile of ['', '#', 'ord_', "8' or '1'='1", '%', '9'.repeat(10_000), '\u{1F600}', 'ORD_456']) {
    it(`finds nothing under ${JSON.stringify(hostile.slice(0, 20))}`, async () => {
      assert.equal(await idOf({}, hostile), undefined);
    });
  }

  it('counts orders and not lines towards the limit', async () => {
    const found = await orders.recent({ tenant: 'here' }, 2);
    assert.deepEqual(
      found.map(({ orderId, lines }) => [orderId, lines.length]),
      [
        ['many', 60],
        ['twice', 3],
      ],
    );
  });

  it("lists one customer's orders only, newest first", async () => {
    const found = await orders.recent({ tenant: 'here', customerId: 'cust_1' }, 10);
    assert.deepEqual(
      found.map(({ orderId }) => orderId),
      ['many', '#7', 'ord_456', '#W2611340'],
    );
  });

  it('keeps the same SKU on two lines apart, with prices in minor units', async () => {
    const order = await orders.find({ tenant: 'here' }, 'twice');
    assert.deepEqual(
      order?.lines.map((line) => [
        line.lineNo,
        line.sku,
        line.quantity,
        line.unitPriceMinor,
        line.discountMinor,
      ]),
      [
        [1, 'A', 1, 1000, 0],
        [2, 'A', 2, 999, 1],
        [3, 'M-01', 3, 500, 0],
      ],
    );
  });

  it('says of what is no manga volume that it has no title and no number', async () => {
    const order = await orders.find({ tenant: 'here' }, 'twice');
    assert.deepEqual(
      order?.lines.map(({ mangaId, volumeNumber }) => [mangaId, volumeNumber]),
      [
        [null, null],
        [null, null],
        ['M', 1],
      ],
    );
  });

  it('shows an order without a shipment, with none', async () => {
    const order = await orders.find({ tenant: 'here' }, '8');
    assert.deepEqual([order?.shipments, order?.delivery], [[], null]);
  });

  it('masks the e-mail address where it is read', async () => {
    assert.equal((await orders.find({ tenant: 'here' }, '8'))?.customerEmailMasked, 'c***@example.com');
  });

  it('reads no address, no phone number and no notes', async () => {
    assert.doesNotMatch(JSON.stringify(await orders.find({ tenant: 'here' }, '8')), /Secret|555/);
  });

  it('lists what is not shipped, oldest first, and counts all of it', async () => {
    const { total, orders: found } = await orders.upcoming('here', 2);
    assert.deepEqual([total, ...found.map(({ orderId }) => orderId)], [5, '#W2611340', 'ord_456']);
  });

  it('sums what was ordered after the first instant and until the last, without cancelled orders', async () => {
    const demand = await orders.demand('here', new Date(`${DAY}3T10:00:00Z`), new Date(`${DAY}6T10:00:00Z`));
    assert.deepEqual(demand, [
      { sku: 'A', product: 'Product A', units: 4, orders: 2 },
      { sku: 'M-01', product: 'Product M-01', units: 3, orders: 1 },
    ]);
  });

  it('completes order numbers with the prefix left out', async () => {
    assert.deepEqual(await orders.complete({ tenant: 'here' }, 'W26', 10), ['#W2611340']);
  });

  it('completes only what the customer may see', async () => {
    assert.deepEqual(await orders.complete({ tenant: 'here', customerId: 'cust_2' }, '', 10), [
      '8',
      'ord_7',
      'twice',
    ]);
  });

  it('takes a wildcard in a prefix for a letter', async () => {
    assert.deepEqual(await orders.complete({ tenant: 'here' }, '%', 10), []);
  });

  it('says that the database cannot be reached, and never that there is no order', async () => {
    const gone = await freshDatabase();
    await gone.drop();
    await assert.rejects(createOrderStore(gone.pools.read).find({ tenant: 'here' }, '8'), {
      code: 'unavailable',
    });
  });
});
