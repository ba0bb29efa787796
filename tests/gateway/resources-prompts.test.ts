import assert from 'node:assert/strict';
import { Refusal } from '../../domain/refusal.ts';
import { type Wire, openSession, startWire } from './wire.ts';

describe('resources and prompts over the wire', () => {
  let wire: Wire;
  let refusal: Refusal | undefined;
  before(async () => {
    wire = await startWire({
      read: async () => {
        if (refusal) throw refusal;
        return { as_of: '2026-11-21T00:00:00.000Z', values: ['WH-1', 'WH-2'], has_more: false };
      },
    });
  });
  after(() => wire.stop());
  afterEach(() => (refusal = undefined));

  it('list the literal template of the sources', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const { result } = await session.ask('resources/templates/list', {});
    assert.match(JSON.stringify(result), /"uriTemplate":"inventory:\/\/warehouse\/\{wid\}\/stock"/);
  });

  it('show a customer no resource that is not theirs to read', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const listed = JSON.stringify([
      await session.ask('resources/list', {}),
      await session.ask('resources/templates/list', {}),
    ]);
    assert.doesNotMatch(listed, /inventory:|approvals:|upcoming/);
  });

  for (const uri of [
    'inventory://warehouse//stock',
    'inventory://warehouse/WH-2/stock/more',
    'inventory://warehouse/WH 2/stock',
    'inventory://warehouse/%00/stock',
    'inventory://warehouse/%E0%A4%A/stock',
    `inventory://warehouse/${'x'.repeat(5000)}/stock`,
    'file:///etc/passwd',
    '',
  ]) {
    it(`answer ${JSON.stringify(uri.slice(0, 40))} with not found, and start nothing`, async () => {
      const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
      const before = wire.plans.length;
      const { error } = await session.ask('resources/read', { uri });
      assert.deepEqual([error?.code, error?.message], [-32002, 'Resource not found']);
      assert.equal(wire.plans.length, before);
    });
  }

  it('answer a resource of a foreign scope exactly as one that never was', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const [foreign, unknown] = [
      await session.ask('resources/read', { uri: 'approvals://pending' }),
      await session.ask('resources/read', { uri: 'approvals://nothing' }),
    ];
    assert.deepEqual(
      [foreign.error?.code, foreign.error?.message],
      [unknown.error?.code, unknown.error?.message],
    );
  });

  it('answer what the body does not find as not found', async () => {
    refusal = new Refusal('not_found', 'There is no such order.');
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    assert.equal((await session.ask('resources/read', { uri: 'orders://order/1' })).error?.code, -32002);
  });

  it('name the call when a resource cannot be read now', async () => {
    refusal = new Refusal('unavailable', 'The durable engine does not answer.');
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const { error } = await session.ask('resources/read', { uri: 'inventory://warehouses' });
    assert.match(error?.message ?? '', /does not answer.*warehouses-[\w-]{32}/);
  });

  it('get a prompt with its default, and with an argument', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const plain = JSON.stringify(await session.ask('prompts/get', { name: 'low_stock_review' }));
    const european = JSON.stringify(
      await session.ask('prompts/get', { name: 'low_stock_review', arguments: { region: 'EU' } }),
    );
    assert.match(plain, /region 'all'/);
    assert.match(european, /region 'EU'/);
  });

  for (const [what, params] of [
    ['an unknown prompt', { name: 'nothing' }],
    ['a prompt without its required argument', { name: 'investigate_late_shipment' }],
    ['an argument nobody knows', { name: 'low_stock_review', arguments: { shop: 'other' } }],
    ['an endless argument', { name: 'low_stock_review', arguments: { region: 'x'.repeat(501) } }],
  ] as const) {
    it(`refuse ${what} with -32602`, async () => {
      const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
      assert.equal((await session.ask('prompts/get', params)).error?.code, -32602);
    });
  }

  it('leave a row for a prompt', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    await session.ask('prompts/get', { name: 'low_stock_review' });
    const row = wire.rows.at(-1);
    assert.deepEqual([row?.tool, row?.outcome, row?.final], ['low_stock_review', 'ok', true]);
  });

  it('complete ids of what the caller may read, and nothing else', async () => {
    const complete = async (as: string) => {
      const session = await openSession(wire.url, await wire.mint(as));
      return session.ask('completion/complete', {
        ref: { type: 'ref/resource', uri: 'inventory://warehouse/{wid}/stock' },
        argument: { name: 'wid', value: 'WH' },
      });
    };
    assert.match(JSON.stringify(await complete('warehouse_lead')), /WH-2/);
    assert.equal((await complete('customer:C-1')).error?.code, -32602);
  });
});
