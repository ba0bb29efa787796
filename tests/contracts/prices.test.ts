import assert from 'node:assert/strict';
import { createPriceStore } from '../../adapters/postgres/price-store.ts';
import type { PriceReader } from '../../domain/prices.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop } from '../support/rows.ts';

const NOW = new Date('2026-11-21T12:00:00Z');

describe('the price reader', () => {
  let db: TestDatabase;
  let prices: PriceReader;

  before(async () => {
    db = await freshDatabase();
    prices = createPriceStore(db.pools.read);
    const rows = await openShop(db.pools, 'here');
    for (const [sku, volume] of [
      ['M-01', 1],
      ['M-02', 2],
      ['M-03', 3],
      ['M-04', 4],
    ] as const)
      await rows.product({ sku, volume: ['M', volume] });
    // Volume 1 has had a price, and has none now.
    await rows.price({
      sku: 'M-01',
      amount: 500,
      from: '2025-01-01T00:00:00Z',
      until: '2026-01-01T00:00:00Z',
    });
    await rows.price({
      sku: 'M-02',
      amount: 700,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    });
    await rows.price({
      sku: 'M-02',
      amount: 750,
      from: '2026-12-01T00:00:00Z',
      until: '2027-06-01T00:00:00Z',
    });
    await rows.promotion({
      sku: 'M-02',
      discountPct: 20,
      from: '2026-11-01T00:00:00Z',
      to: '2026-11-25T00:00:00Z',
    });
    await rows.promotion({
      sku: 'M-02',
      discountPct: 50,
      from: '2026-10-01T00:00:00Z',
      to: '2026-10-02T00:00:00Z',
    });
    await rows.price({
      sku: 'M-03',
      amount: 600,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
      discountPct: 12.5,
    });

    const other = await openShop(db.pools, 'there');
    await other.product({ sku: 'X-01', volume: ['X', 1] });
    await other.price({
      sku: 'X-01',
      amount: 1,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    });
  });
  after(() => db.drop());

  it('gives the record that holds now, until the next one begins, with what is running or to come', async () => {
    assert.deepEqual(await prices.schedule('here', { mangaId: 'M', volumeNumber: 2 }, NOW), {
      mangaId: 'M',
      volumeNumber: 2,
      amountMinor: 700,
      currency: 'JPY',
      validUntil: '2026-12-01T00:00:00.000Z',
      promotions: [
        { discountPct: 20, startsAt: '2026-11-01T00:00:00.000Z', endsAt: '2026-11-25T00:00:00.000Z' },
      ],
    });
  });

  it('takes the later of two records that both hold', async () => {
    const later = await prices.schedule(
      'here',
      { mangaId: 'M', volumeNumber: 2 },
      new Date('2026-12-02T00:00:00Z'),
    );
    assert.equal(later?.amountMinor, 750);
  });

  it("counts a record's own discount as one that runs as long as the record", async () => {
    const { promotions } = (await prices.schedule('here', { mangaId: 'M', volumeNumber: 3 }, NOW)) ?? {};
    assert.deepEqual(promotions, [
      { discountPct: 12.5, startsAt: '2026-01-01T00:00:00.000Z', endsAt: '2027-01-01T00:00:00.000Z' },
    ]);
  });

  it('takes the lowest volume that has a price when none is named', async () => {
    assert.equal((await prices.schedule('here', { mangaId: 'M' }, NOW))?.volumeNumber, 2);
  });

  for (const [what, volume] of [
    ['a price that has ended', { mangaId: 'M', volumeNumber: 1 }],
    ['a volume that never had one', { mangaId: 'M', volumeNumber: 4 }],
    ["another shop's title", { mangaId: 'X' }],
    ['SQL', { mangaId: "M' or '1'='1" }],
    ['nothing', { mangaId: '' }],
  ] as const) {
    it(`has no price for ${what}`, async () => {
      assert.equal(await prices.schedule('here', volume, NOW), undefined);
    });
  }

  it('says that the database cannot be reached', async () => {
    const gone = await freshDatabase();
    await gone.drop();
    await assert.rejects(createPriceStore(gone.pools.read).schedule('here', { mangaId: 'M' }, NOW), {
      code: 'unavailable',
    });
  });
});
