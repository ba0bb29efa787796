import assert from 'node:assert/strict';
import { catalog } from '../../catalog/index.ts';
import { openShop } from '../support/rows.ts';
import { freshCache, NOW, seededWorld, staff, unreachable, type World } from '../support/world.ts';

const FACTS = ['source', 'as_of', 'cache'];

describe('get_price', () => {
  let world: World;
  type Input = { manga_id: string; volume_number?: number };
  const ask = (input: Input, { tenant = 'manga', cache = freshCache(), now = NOW } = {}) =>
    world.bodies({ cache, clock: { now: () => now } }).get_price({ caller: staff(tenant), input });

  before(async () => {
    world = await seededWorld();
    const rows = await openShop(world.db.pools, 'dollars', 'USD');
    await rows.product({ sku: 'D-01', volume: ['D', 1] });
    await rows.price({
      sku: 'D-01',
      amount: 9.99,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    });
    const sale = await openShop(world.db.pools, 'sale');
    await sale.product({ sku: 'S-01', volume: ['S', 1] });
    await sale.price({
      sku: 'S-01',
      amount: 999,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    });
    await sale.promotion({
      sku: 'S-01',
      discountPct: 50,
      from: '2026-11-21T12:00:30Z',
      to: '2026-11-22T00:00:00Z',
    });
  });
  after(() => world.close());

  const plain = (answer: object) =>
    Object.fromEntries(Object.entries(answer).filter(([key]) => !FACTS.includes(key)));

  it('has exactly the keys of the source, and says where they come from', async () => {
    const answer = await ask({ manga_id: 'BER42', volume_number: 1 });
    assert.deepEqual(plain(answer), {
      status: 'found',
      price_jpy: 770,
      currency: 'JPY',
      discount_active: false,
      discount_pct: 0,
      valid_until: '2028-05-24T00:00:00.000Z',
    });
    assert.deepEqual(
      FACTS.filter((key) => !(key in answer)),
      [],
    );
  });

  it('has the same keys without a volume', async () => {
    const one = await ask({ manga_id: 'BER42', volume_number: 1 });
    const title = await ask({ manga_id: 'BER42' });
    assert.deepEqual(plain(title), plain(one));
  });

  it('is active only when something is taken off', async () => {
    const { discount_active, discount_pct, price_jpy } = await ask({ manga_id: 'YTB15', volume_number: 1 });
    assert.deepEqual([discount_active, discount_pct, price_jpy], [true, 20, 660]);
  });

  it('takes the larger of two discounts that run at once', async () => {
    assert.equal((await ask({ manga_id: 'ONE01', volume_number: 1 })).discount_pct, 25);
  });

  it('starts a promotion on the instant, from what was cached before it', async () => {
    const cache = freshCache();
    const before = await ask({ manga_id: 'S', volume_number: 1 }, { tenant: 'sale', cache });
    assert.deepEqual([before.price_jpy, before.valid_until], [999, '2026-11-21T12:00:30.000Z']);
    const at = await ask(
      { manga_id: 'S', volume_number: 1 },
      { tenant: 'sale', cache, now: new Date('2026-11-21T12:00:30Z') },
    );
    assert.deepEqual([at.price_jpy, at.discount_active, at.cache?.hit], [500, true, true]);
  });

  it('keeps nothing beyond the moment at which the price changes', async () => {
    const { cache } = await ask({ manga_id: 'S', volume_number: 1 }, { tenant: 'sale' });
    assert.ok(cache && cache.ttl_s <= 30);
  });

  it('keeps no price longer than 300 seconds', async () => {
    const { cache } = await ask({ manga_id: 'BER42', volume_number: 1 });
    assert.ok(cache && cache.ttl_s > 0 && cache.ttl_s <= 300);
  });

  for (const input of [{ manga_id: 'ZZZ' }, { manga_id: 'ZZZ', volume_number: 3 }]) {
    it(`is not found to the letter: ${JSON.stringify(input)}`, async () => {
      assert.deepEqual(plain(await ask(input)), {
        status: 'not_found',
        message: 'Price unavailable for manga_id=ZZZ. Do not estimate.',
        manga_id: 'ZZZ',
      });
    });
  }

  it('converts no currency in silence', async () => {
    assert.equal((await ask({ manga_id: 'D', volume_number: 1 }, { tenant: 'dollars' })).status, 'not_found');
  });

  it("knows no price of another shop's title", async () => {
    assert.equal((await ask({ manga_id: 'BER42' }, { tenant: 'dollars' })).status, 'not_found');
  });

  it('says that there is no price after the record has ended', async () => {
    const later = new Date('2030-01-01T00:00:00Z');
    assert.equal((await ask({ manga_id: 'BER42', volume_number: 1 }, { now: later })).status, 'not_found');
  });

  it('says "Do not estimate." when the database is gone, and is an answer', async () => {
    const { prices } = await unreachable();
    const body = world.bodies({ cache: freshCache(), prices }).get_price;
    assert.deepEqual(await body({ caller: staff(), input: { manga_id: 'BER42' } }), {
      status: 'unavailable',
      message: 'Price unavailable for manga_id=BER42. Do not estimate.',
      manga_id: 'BER42',
    });
  });

  it('does not take a fault of its own for a price that is not there', async () => {
    const broken = { schedule: () => Promise.reject(new TypeError('a bug')) };
    const body = world.bodies({
      cache: freshCache(),
      prices: { replica: broken, primary: broken },
    }).get_price;
    await assert.rejects(body({ caller: staff(), input: { manga_id: 'BER42' } }), TypeError);
  });

  it('fits its own output schema', async () => {
    for (const input of [{ manga_id: 'BER42' }, { manga_id: 'ZZZ' }]) {
      const answer = await ask(input);
      assert.deepEqual(catalog.get('get_price')?.output.parse(answer), answer);
    }
  });

  it('has a sentence for every answer', async () => {
    const spec = catalog.get('get_price');
    const said = [await ask({ manga_id: 'YTB15' }), await ask({ manga_id: 'ZZZ' })].map((answer) =>
      spec?.say(answer),
    );
    assert.deepEqual(said, [
      '660 JPY, 20 % off, valid until 2027-11-21T00:00:00.000Z',
      'Price unavailable for manga_id=ZZZ. Do not estimate.',
    ]);
  });
});
