import assert from 'node:assert/strict';
import { z } from 'zod';
import { prompts, promptsOf, resources, resourcesOf } from '../../catalog/index.ts';

for (const resource of resources) {
  describe(`the resource ${resource.name}`, () => {
    const variables = [...resource.uri.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

    it('takes the variables of its address, and no others', () => {
      assert.deepEqual(Object.keys(resource.params.shape), variables);
    });

    it('completes only variables that it has', () => {
      assert.deepEqual(
        Object.keys(resource.complete ?? {}).filter((name) => !variables.includes(name)),
        [],
      );
    });

    it('has a title, a description that says NEVER infer, and a time stamp', () => {
      assert.ok(resource.title && /NEVER infer/.test(resource.description));
      assert.ok('as_of' in resource.output.shape);
    });

    it('answers with an object that JSON Schema can say', () => {
      assert.equal(z.toJSONSchema(resource.output).type, 'object');
    });
  });
}

describe('the resources', () => {
  it('stand at the addresses of the sources', () => {
    const uris = resources.map(({ uri }) => uri);
    for (const uri of [
      'inventory://warehouse/{wid}/stock',
      'inventory://warehouses',
      'inventory://purchase-orders/{id}',
      'orders://order/{order_id}',
      'orders://upcoming',
      'orders://demand/7d',
      'approvals://pending',
      'policy://{kind}/current',
    ])
      assert.ok(uris.includes(uri), uri);
  });

  it('of one server leave out those of another', () => {
    assert.deepEqual(
      resourcesOf('orders').map(({ name }) => name),
      ['order_record', 'upcoming_orders', 'demand_7d', 'pending_approvals'],
    );
  });
});

describe('the prompts', () => {
  const text = (name: string, args: Readonly<Record<string, string>> = {}) =>
    prompts.find((prompt) => prompt.name === name)?.text(args) ?? '';

  const review = (region: string) =>
    `Review stock for region '${region}'. For each SKU below its reorder point, cross-check 7-day demand from the orders feed and propose a reorder quantity. Ask me to approve before placing any order.`;

  it('word the low-stock review to the letter, for all regions by default', () => {
    assert.equal(text('low_stock_review'), review('all'));
  });

  it('word the low-stock review for one region', () => {
    assert.equal(text('low_stock_review', { region: 'EU' }), review('EU'));
  });

  it('describe the low-stock review to the letter', () => {
    assert.equal(
      prompts.find(({ name }) => name === 'low_stock_review')?.description,
      'Guide the agent through a low-stock reorder review.',
    );
  });

  it('cite the six data areas in the briefing', () => {
    for (const area of [
      /customer orders/,
      /[Ii]nventory across warehouses/,
      /[Ii]n-flight deliveries and drivers/,
      /[Rr]eturns and RMAs/,
      /[Dd]amage claims/,
      /[Pp]ayment and settlement status/,
    ])
      assert.match(text('daily_supply_chain_briefing'), area);
  });

  it('name the late order, and address it where # would cut the address short', () => {
    assert.match(text('investigate_late_shipment', { order_id: '#W1' }), /orders:\/\/order\/%23W1/);
  });

  it('describe every argument', () => {
    for (const { name, title, description, args } of prompts)
      assert.ok([title, description, ...args.map((arg) => arg.description)].every(Boolean), name);
  });

  it('stand with the inventory: /low_stock_review', () => {
    assert.ok(promptsOf('inventory').some(({ name }) => name === 'low_stock_review'));
  });
});
