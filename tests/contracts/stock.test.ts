import assert from 'node:assert/strict';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { createStockStore } from '../../adapters/postgres/stock-store.ts';
import { createStockWriter } from '../../adapters/postgres/stock-writer.ts';
import type { StockReader, StockWriter } from '../../domain/stock.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop } from '../support/rows.ts';

describe('the stock reader', () => {
  let db: TestDatabase;
  let stock: StockReader;

  before(async () => {
    db = await freshDatabase();
    stock = createStockStore(db.pools.read);
    const rows = await openShop(db.pools, 'here', 'USD');
    for (const [code, city, region] of [
      ['TKY-1', 'Tokyo', 'JP'],
      ['WH-2', 'Rotterdam', 'EU'],
      ['EMPTY', 'Nowhere', 'EU'],
    ] as const)
      await rows.warehouse(code, city, region);
    await rows.product({ sku: 'M-01', name: 'Manga Vol. 1', volume: ['M', 1] });
    await rows.product({ sku: 'M-02', name: 'Manga Vol. 2', volume: ['M', 2] });
    await rows.product({ sku: 'M-03', name: 'Manga Vol. 3, uncounted', volume: ['M', 3] });
    await rows.product({ sku: 'SHIRT', name: 'Red Shirt' });
    await rows.product({ sku: 'SHIRT-M', name: 'Red Shirt - Medium' });
    await rows.position({ sku: 'M-01', warehouse: 'TKY-1', quantity: 5, reserved: 1, cost: 1.5 });
    await rows.position({ sku: 'M-01', warehouse: 'WH-2', quantity: 20, reserved: 2, cost: 2, max: 100 });
    await rows.position({ sku: 'M-02', warehouse: 'TKY-1', quantity: 14, reserved: 14 });
    await rows.position({ sku: 'SHIRT', warehouse: 'WH-2', quantity: 3, level: null });
    await rows.position({ sku: 'SHIRT-M', warehouse: 'WH-2', quantity: 50 });

    const other = await openShop(db.pools, 'there');
    await other.warehouse('FAR', 'Far', 'XX');
    await other.product({ sku: 'X-01', volume: ['X', 1] });
    await other.position({ sku: 'X-01', warehouse: 'FAR', quantity: 1 });
  });
  after(() => db.drop());

  it('adds up what can be sold over all warehouses and names the one that holds most', async () => {
    assert.deepEqual(await stock.volumes('here', 'M', 1), [
      {
        mangaId: 'M',
        volumeNumber: 1,
        title: 'Manga Vol. 1',
        sellable: 22,
        warehouse: { code: 'WH-2', city: 'Rotterdam', region: 'EU' },
      },
    ]);
  });

  it('names no warehouse for what is all reserved', async () => {
    assert.deepEqual(await stock.volumes('here', 'M', 2), [
      { mangaId: 'M', volumeNumber: 2, title: 'Manga Vol. 2', sellable: 0 },
    ]);
  });

  it('lists the counted volumes of a title in order, and leaves out what nobody counts', async () => {
    assert.deepEqual(
      (await stock.volumes('here', 'M')).map(({ volumeNumber }) => volumeNumber),
      [1, 2],
    );
  });

  for (const hostile of ['X', "M' or '1'='1", '', 'm', '%', 'M'.repeat(10_000)]) {
    it(`finds no volume under ${JSON.stringify(hostile.slice(0, 20))}`, async () => {
      assert.deepEqual(await stock.volumes('here', hostile), []);
    });
  }

  it('knows no warehouse of another shop', async () => {
    assert.equal(await stock.warehouseStock('here', 'FAR', 10), undefined);
  });

  it('counts every position of a warehouse beside those that the limit lets through', async () => {
    const found = await stock.warehouseStock('here', 'WH-2', 2);
    assert.deepEqual([found?.total, found?.positions.map(({ sku }) => sku)], [3, ['M-01', 'SHIRT']]);
  });

  it('tells an empty warehouse from one that is not there', async () => {
    assert.deepEqual(await stock.warehouseStock('here', 'EMPTY', 10), {
      warehouse: { code: 'EMPTY', city: 'Nowhere', region: 'EU' },
      total: 0,
      positions: [],
    });
  });

  it('takes 10 for the reorder point where none is set', async () => {
    assert.equal((await stock.position('here', 'SHIRT', 'WH-2'))?.reorderLevel, 10);
  });

  it('lists what is at or below its reorder point', async () => {
    const { total, positions } = await stock.lowStock('here', 'WH-2', 10);
    assert.deepEqual([total, positions.map(({ sku }) => sku)], [1, ['SHIRT']]);
  });

  it('sums each warehouse, the empty one too', async () => {
    assert.deepEqual(
      (await stock.warehouses('here')).map(({ code, skus, units, belowReorder }) => [
        code,
        skus,
        units,
        belowReorder,
      ]),
      [
        ['EMPTY', 0, 0, 0],
        ['TKY-1', 2, 19, 2],
        ['WH-2', 3, 73, 1],
      ],
    );
  });

  it('prefers the product of exactly that name to those that contain it', async () => {
    assert.deepEqual(
      (await stock.products('here', { product: 'red shirt' })).map(({ sku }) => sku),
      ['SHIRT'],
    );
  });

  it('falls back to a part of the name', async () => {
    assert.deepEqual(
      (await stock.products('here', { product: 'shirt - m' })).map(({ sku }) => sku),
      ['SHIRT-M'],
    );
  });

  it('takes a wildcard in a name for a letter', async () => {
    assert.deepEqual(await stock.products('here', { product: '%' }), []);
  });

  it('values what is on hand at its cost, in minor units', async () => {
    const [product] = await stock.products('here', { product: 'M-01' });
    assert.deepEqual([product?.valueMinor, product?.currency, product?.counted], [4750, 'USD', true]);
  });

  it('says of a product without a position that nobody counts it', async () => {
    const [product] = await stock.products('here', { product: 'M-03' });
    assert.deepEqual([product?.counted, product?.reorderLevel], [false, null]);
  });

  it('completes ids without regard to capitals, and only those of the shop', async () => {
    assert.deepEqual(
      [await stock.complete('here', 'sku', 'shirt', 9), await stock.complete('here', 'warehouse', '', 9)],
      [
        ['SHIRT', 'SHIRT-M'],
        ['EMPTY', 'TKY-1', 'WH-2'],
      ],
    );
  });

  it('completes each region once', async () => {
    assert.deepEqual(await stock.complete('here', 'region', '', 9), ['EU', 'JP']);
  });

  for (const id of ['1', '#1', '9'.repeat(300), "1' or true --", '']) {
    it(`finds no purchase order under ${JSON.stringify(id.slice(0, 20))}`, async () => {
      assert.equal(await stock.purchaseOrder('here', id), undefined);
    });
  }

  it('says that the database cannot be reached', async () => {
    const gone = await freshDatabase();
    await gone.drop();
    await assert.rejects(createStockStore(gone.pools.read).volumes('here', 'M'), { code: 'unavailable' });
  });
});

describe('the stock writer', () => {
  let db: TestDatabase;
  let stock: StockReader;

  beforeEach(async () => {
    db = await freshDatabase();
    stock = createStockStore(db.pools.write);
    const rows = await openShop(db.pools, 'here');
    await rows.warehouse('WH-2', 'Rotterdam', 'EU');
    await rows.product({ sku: 'A' });
    await rows.position({ sku: 'A', warehouse: 'WH-2', quantity: 4, max: 100 });
  });
  afterEach(() => db.drop());

  const writing = <T>(actionId: string, work: (stock: StockWriter) => Promise<T>) =>
    inTenant(db.pools.write, 'here', (sql) =>
      work(createStockWriter(sql, { tenant: 'here', actionId, requestedBy: 'scm', approvedBy: ['lead'] })),
    );
  const order = { sku: 'A', quantity: 10, warehouse: 'WH-2' };

  it('places a purchase order that can be read by its number', async () => {
    const placed = await writing('act_1', (writer) => writer.placePurchaseOrder(order));
    assert.deepEqual(await stock.purchaseOrder('here', `#${placed.id}`), placed);
  });

  it('keeps who asked, who approved and which action it was', async () => {
    const { actionId, requestedBy, approvedBy } = await writing('act_1', (writer) =>
      writer.placePurchaseOrder(order),
    );
    assert.deepEqual(
      { actionId, requestedBy, approvedBy },
      { actionId: 'act_1', requestedBy: 'scm', approvedBy: ['lead'] },
    );
  });

  it('counts what is ordered as on order', async () => {
    await writing('act_1', (writer) => writer.placePurchaseOrder(order));
    assert.equal((await stock.position('here', 'A', 'WH-2'))?.onOrder, 10);
  });

  it('refuses a second order of the same action', async () => {
    await writing('act_1', (writer) => writer.placePurchaseOrder(order));
    await assert.rejects(writing('act_1', (writer) => writer.placePurchaseOrder(order)));
  });

  it('finds no position that the warehouse does not carry', async () => {
    assert.equal(await writing('act_1', (writer) => writer.lockPosition('A', 'NOPE')), undefined);
  });

  it('lets 20 rivals for 10 units each into room for 96 only nine times', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        writing(`act_${i}`, async (writer) => {
          const position = await writer.lockPosition('A', 'WH-2');
          if (!position || position.maxStock - position.onHand - position.onOrder < 10)
            throw new Error('full');
          await writer.placePurchaseOrder(order);
        }),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 9);
  });
});
