import assert from 'node:assert/strict';
import { cacheKey } from '../../domain/cache-policy.ts';
import { volumeKey } from '../../activities/inventory/keys.ts';
import { catalog } from '../../catalog/index.ts';
import { customer, freshCache, seededWorld, staff, unreachable, type World } from '../support/world.ts';

describe('check_stock', () => {
  let world: World;
  type Input = { manga_id: string; volume_number?: number };
  const ask = (input: Input, caller = staff(), cache = freshCache()) =>
    world.bodies({ cache }).check_stock({ caller, input });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  it('says it as the source says it', async () => {
    const answer = await ask({ manga_id: 'BER42', volume_number: 42 });
    assert.equal(answer.message, 'In stock · 14 units · ships from Tokyo');
  });

  it('names the units, the warehouse and its city', async () => {
    const { status, quantity, warehouse, ships_from, in_stock } = await ask({
      manga_id: 'BER42',
      volume_number: 42,
    });
    assert.deepEqual(
      [status, quantity, warehouse, ships_from, in_stock],
      ['found', 14, 'TKY-1', 'Tokyo', true],
    );
  });

  it('says the same from the cache', async () => {
    const cache = freshCache();
    const input = { manga_id: 'BER42', volume_number: 42 };
    const { as_of, cache: miss, ...first } = await ask(input, staff(), cache);
    const { as_of: again, cache: hit, ...second } = await ask(input, customer('cust_1001'), cache);
    assert.deepEqual([second, again, miss.hit, hit.hit], [first, as_of, false, true]);
  });

  it('keeps it for at most ten seconds', async () => {
    const { cache } = await ask({ manga_id: 'BER42', volume_number: 42 });
    assert.ok(cache.ttl_s > 0 && cache.ttl_s <= 10);
  });

  it('is cached under the key of the source, behind the shop', () => {
    assert.equal(cacheKey(volumeKey('manga', 'BER42', 42)), 'manga:stock:BER42:42');
  });

  it('says Out of stock where nothing is left, and names no warehouse', async () => {
    const { message, quantity, warehouse, status } = await ask({ manga_id: 'BER42', volume_number: 13 });
    assert.deepEqual([message, quantity, warehouse, status], ['Out of stock', 0, null, 'found']);
  });

  it('lists every volume of the title when none is named', async () => {
    const { volumes } = await ask({ manga_id: 'BER42' });
    assert.deepEqual(
      volumes?.map(({ volume_number }) => volume_number),
      Array.from({ length: 42 }, (_, i) => i + 1),
    );
  });

  it('says that it reserves nothing', async () => {
    assert.match((await ask({ manga_id: 'BER42', volume_number: 42 })).note ?? '', /nothing is reserved/);
  });

  for (const input of [{ manga_id: 'NOPE' }, { manga_id: 'BER42', volume_number: 9999 }]) {
    it(`invents no count for ${JSON.stringify(input)}`, async () => {
      const { status, message, quantity } = await ask(input);
      assert.deepEqual([status, quantity, message.endsWith('Do not infer.')], ['not_found', undefined, true]);
    });
  }

  it('knows no title of another shop', async () => {
    assert.equal(
      (await ask({ manga_id: 'BER42', volume_number: 42 }, staff('shop_123'))).status,
      'not_found',
    );
  });

  it('answers from the cache when the database is gone, and refuses what it does not know', async () => {
    const cache = freshCache();
    await ask({ manga_id: 'BER42', volume_number: 42 }, staff(), cache);
    const { check_stock } = world.bodies({ cache, stock: (await unreachable()).stock });
    const known = await check_stock({ caller: staff(), input: { manga_id: 'BER42', volume_number: 42 } });
    assert.equal(known.message, 'In stock · 14 units · ships from Tokyo');
    await assert.rejects(check_stock({ caller: staff(), input: { manga_id: 'BER42' } }), {
      code: 'unavailable',
    });
  });

  it('fits its own output schema', async () => {
    for (const input of [
      { manga_id: 'BER42' },
      { manga_id: 'BER42', volume_number: 42 },
      { manga_id: 'NOPE' },
    ]) {
      const answer = await ask(input);
      assert.deepEqual(catalog.get('check_stock')?.output.parse(answer), answer);
    }
  });
});
