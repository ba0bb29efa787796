import assert from 'node:assert/strict';
import { inTenant } from '../../adapters/postgres/pools.ts';
import type { BodyDeps } from '../../activities/index.ts';
import { catalog } from '../../catalog/index.ts';
import { broken, clientOf, hang, startUps, type Ups, well } from '../shipping/ups.ts';
import { customer, freshCache, seededWorld, staff, type World } from '../support/world.ts';
import { send } from '../adapters/carriers/support.ts';
import { openShop } from '../support/rows.ts';

const HOME = { line1: '1 Main St', city: 'Newark', region: 'NJ', postal_code: '07102', country: 'US' };
type Input = { manga_id: string[]; volume_number?: number[]; delivery_address: typeof HOME };

describe('get_shipping_estimate', () => {
  let world: World;
  let ups: Ups;
  let shops = 0;

  before(async () => {
    [world, ups] = await Promise.all([seededWorld(), startUps()]);
  });
  after(() => Promise.all([world.close(), ups.close()]));
  beforeEach(() => {
    ups.seen.length = 0;
    ups.script(well);
  });

  /** A fresh cache and a fresh circuit each time, unless given. */
  const ask = (
    input: Partial<Input> = {},
    more: { caller?: ReturnType<typeof staff>; deps?: Partial<BodyDeps> } = {},
  ) =>
    world.bodies({ cache: freshCache(), carriers: clientOf(ups), ...more.deps }).get_shipping_estimate({
      caller: more.caller ?? staff(),
      input: { manga_id: ['BER42'], delivery_address: HOME, ...input },
    });
  /** An address that no other test has asked about. */
  const elsewhere = () => ({ ...HOME, line1: `${(shops += 1)} Elsewhere Rd` });

  it('answers with delivery time and cost, the cheapest and the fastest marked', async () => {
    const { status, currency, quotes, freshness, ships_from } = await ask();
    assert.deepEqual([status, currency, freshness, ships_from], ['found', 'USD', 'live', ['TKY-1']]);
    assert.deepEqual(
      quotes.map(({ cost, cheapest, fastest, estimated_delivery }) => [
        cost,
        cheapest,
        fastest,
        estimated_delivery.slice(0, 10),
      ]),
      [
        [8.5, true, false, '2026-11-27'],
        [31.2, false, true, '2026-11-24'],
      ],
    );
  });

  it('gives one estimate over all titles, with the weight of all', async () => {
    const { items } = await ask({ manga_id: ['BER42', 'VIN27', 'BER42'], delivery_address: elsewhere() });
    assert.deepEqual(
      items.map(({ manga_id, quantity }) => [manga_id, quantity]),
      [
        ['BER42', 2],
        ['VIN27', 1],
      ],
    );
    assert.equal(ups.seen.length, 1);
    assert.match(ups.seen[0]?.body ?? '', /"Weight":"0\.6/);
  });

  it('takes the first volume unless told otherwise', async () => {
    const first = await ask();
    const other = await ask({ volume_number: [3] });
    assert.deepEqual([first.items[0]?.volume_number, other.items[0]?.volume_number], [1, 3]);
  });

  it('is answered from the cache while it is fresh, and asks the carrier once', async () => {
    const deps = { cache: freshCache() };
    const first = await ask({ delivery_address: elsewhere() }, { deps });
    ups.seen.length = 0;
    ups.script(hang);
    const again = await ask({ delivery_address: { ...HOME, line1: `${shops} Elsewhere Rd` } }, { deps });
    assert.deepEqual([ups.seen.length, again.freshness, again.as_of], [0, 'live', first.as_of]);
  });

  it('succeeds when the carrier fails twice and then answers', async () => {
    ups.script(broken, broken, well);
    const { status, freshness } = await ask({ delivery_address: elsewhere() });
    assert.deepEqual([status, freshness, ups.seen.length], ['found', 'live', 3]);
  });

  for (const [what, reply, why] of [
    ['hangs', hang, 'timeout'],
    ['fails', broken, 'down'],
    ['sends garbage', (_: unknown, response) => void response.end('<html>'), 'garbled'],
  ] as const satisfies readonly (readonly [string, typeof hang, string])[]) {
    it(`says what was quoted last, how old it is and why, when the carrier ${what}`, async () => {
      const delivery_address = elsewhere();
      const before = await ask({ delivery_address });
      ups.script(reply);
      const after = await ask({ delivery_address });
      assert.deepEqual(
        [after.status, after.freshness, after.why, after.as_of, after.quotes],
        ['found', 'stale', why, before.as_of, before.quotes],
      );
      assert.ok(after.age_s !== null && after.age_s >= 0);
      assert.match(after.message, /does not answer/);
    });

    it(`says that nothing is known, and not to estimate, when the carrier ${what} from the start`, async () => {
      ups.script(reply);
      const { status, freshness, quotes, message } = await ask({ delivery_address: elsewhere() });
      assert.deepEqual([status, freshness, quotes], ['unavailable', 'none', []]);
      assert.match(message, /Do not estimate\.$/);
    });
  }

  it('does not answer for one address, or for one number of copies, what it knows of another', async () => {
    const delivery_address = elsewhere();
    await ask({ delivery_address });
    ups.script(hang);
    for (const input of [
      { delivery_address: elsewhere() },
      { delivery_address, manga_id: ['BER42', 'BER42'] },
    ])
      assert.equal((await ask(input)).status, 'unavailable');
  });

  it('does not answer one shop with what another knows', async () => {
    const delivery_address = elsewhere();
    await ask({ delivery_address });
    const rows = await openShop(world.db.pools, 'same-goods');
    await rows.product({ sku: 'BER42-01', volume: ['BER42', 1] });
    await rows.warehouse('TKY-1', 'Tokyo', 'JP');
    await rows.run(
      `update warehouses set address_line = '1', postal_code = '1', country = 'JP' where shop_id = $1`,
      ['same-goods'],
    );
    await rows.position({ sku: 'BER42-01', warehouse: 'TKY-1', quantity: 9 });
    ups.script(hang);
    assert.equal((await ask({ delivery_address }, { caller: staff('same-goods') })).status, 'unavailable');
  });

  it('names what the shop does not sell, and asks no carrier', async () => {
    const { status, unknown, quotes } = await ask({ manga_id: ['BER42', 'NOPE', 'TEA-001'] });
    assert.deepEqual([status, unknown, quotes, ups.seen.length], ['not_found', ['NOPE', 'TEA-001'], [], 0]);
  });

  it('names a volume that there is not', async () => {
    const { status, unknown } = await ask({ volume_number: [999] });
    assert.deepEqual([status, unknown], ['not_found', ['BER42 volume 999']]);
  });

  it('names what no warehouse can send', async () => {
    const { status, why, out_of_stock } = await ask({ volume_number: [13] });
    assert.deepEqual([status, why, out_of_stock], ['unavailable', 'out_of_stock', ['BER42-13']]);
  });

  it('says that no carrier delivers there, also when it once did', async () => {
    const delivery_address = elsewhere();
    await ask({ delivery_address });
    ups.script((_, response) =>
      send(response, 400, {
        response: { errors: [{ code: '111285', message: 'The postal code is invalid' }] },
      }),
    );
    const { status, quotes, message } = await ask({ delivery_address });
    assert.deepEqual([status, quotes], ['undeliverable', []]);
    assert.match(message, /Do not estimate/);
  });

  it('says that it cannot, in a shop whose warehouses have no address', async () => {
    const rows = await openShop(world.db.pools, 'homeless');
    await rows.product({ sku: 'A-01', volume: ['A', 1] });
    await rows.warehouse('W', 'Somewhere', 'X');
    await rows.position({ sku: 'A-01', warehouse: 'W', quantity: 9 });
    const { status, why } = await ask({ manga_id: ['A'] }, { caller: staff('homeless') });
    assert.deepEqual([status, why], ['unavailable', 'no_origin']);
  });

  it('gives a customer what it gives the staff', async () => {
    const delivery_address = elsewhere();
    const [theirs, ours] = [
      await ask({ delivery_address }, { caller: customer('cust_1001') }),
      await ask({ delivery_address }),
    ];
    assert.deepEqual(theirs.quotes, ours.quotes);
  });

  it('keeps nothing of the address', async () => {
    const delivery_address = { ...elsewhere(), line1: 'Qzsecret Street 1', city: 'Qzsecret City' };
    await ask({ delivery_address });
    const rows = await inTenant(
      world.db.pools.write,
      'manga',
      async (sql) =>
        (await sql.query<{ text: string }>('select to_jsonb(q)::text as text from shipping_quotes q')).rows,
    );
    assert.ok(rows.length > 0);
    assert.doesNotMatch(JSON.stringify(rows), /Qzsecret/);
  });

  it('fits its own output schema, whatever it answers', async () => {
    const output = catalog.get('get_shipping_estimate')?.output;
    for (const input of [{}, { manga_id: ['NOPE'] }, { volume_number: [13] }]) {
      const answer = await ask(input);
      assert.deepEqual(output?.parse(answer), answer);
    }
  });

  const address = catalog.get('get_shipping_estimate')?.input;
  const WRONG: readonly (readonly [string, object])[] = [
    ['no titles', { manga_id: [] }],
    ['more titles than a parcel holds', { manga_id: Array.from({ length: 51 }, () => 'BER42') }],
    ['a title instead of a list', { manga_id: 'BER42' }],
    ['a title that is code', { manga_id: ["'; drop table orders; --"] }],
    ['volumes for other titles', { volume_number: [1, 2] }],
    ['an empty street', { delivery_address: { ...HOME, line1: '  ' } }],
    ['a huge street', { delivery_address: { ...HOME, line1: 'x'.repeat(100_000) } }],
    ['an empty address', { delivery_address: {} }],
    ['no address', { delivery_address: undefined }],
    ['an address in one line', { delivery_address: '1 Main St, Newark' }],
    ['an unknown country', { delivery_address: { ...HOME, country: 'XX' } }],
    ['a country by name', { delivery_address: { ...HOME, country: 'USA' } }],
    ['a control character', { delivery_address: { ...HOME, city: 'New\u0000ark' } }],
    ['more than an address', { delivery_address: { ...HOME, gate_code: '1234' } }],
  ];
  for (const [what, input] of WRONG)
    it(`refuses ${what}`, () => {
      assert.equal(
        address?.safeParse({ manga_id: ['BER42'], delivery_address: HOME, ...input }).success,
        false,
      );
    });
});
