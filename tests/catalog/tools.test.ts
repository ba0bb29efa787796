import assert from 'node:assert/strict';
import { z } from 'zod';
import {
  catalog,
  internalTools,
  listedInputSchema,
  resources,
  specs,
  tools,
  toolsOf,
  wireOutputSchema,
} from '../../catalog/index.ts';
import { SERVERS } from '../../catalog/define.ts';
import { SCOPES_OF } from '../../domain/roles.ts';

/** Arguments that a source names, and names as lists or objects. */
const NAMED_SO: Readonly<Record<string, readonly string[]>> = {
  get_shipping_estimate: ['manga_id', 'volume_number', 'delivery_address'],
};

/** Tools that answer about the shop, as opposed to about Countersign's own records. */
const LIVE = tools.filter(({ server }) => server !== 'platform');

for (const tool of tools) {
  describe(`the tool ${tool.name}`, () => {
    const input = listedInputSchema(tool);

    it('has an input that every MCP client can read: scalars, no unions, nothing extra', () => {
      assert.doesNotMatch(JSON.stringify(input), /"(anyOf|oneOf|allOf|\$ref|\$defs)"|"type":\[|"null"/);
      assert.equal(input.additionalProperties, false);
      for (const [name, property] of Object.entries(input.properties)) {
        if (NAMED_SO[tool.name]?.includes(name)) continue;
        assert.match(
          typeof property === 'object' ? String(property.type) : '',
          /^(string|integer|number|boolean)$/,
          name,
        );
      }
    });

    it('describes each argument', () => {
      for (const [name, property] of Object.entries(input.properties))
        assert.ok(typeof property === 'object' && property.description, `${name} has no description`);
    });

    it('refuses what it does not know', () => {
      assert.equal(tool.input.safeParse({ ...tool.examples[0].input, surprise: 1 }).success, false);
    });

    it('has a name in snake case, a title and a description', () => {
      assert.match(tool.name, /^[a-z]+(_[a-z]+)+$/);
      assert.ok(tool.title.trim() && tool.description.trim());
    });

    it('says NEVER infer', () => {
      assert.match(tool.description, /NEVER infer/);
    });

    it('asks for a scope that some role has', () => {
      assert.ok(tool.scopes.some((scope) => Object.values(SCOPES_OF).some((of) => of.includes(scope))));
    });

    it('has examples that its own schema accepts', () => {
      for (const example of tool.examples)
        assert.ok(tool.input.safeParse(example.input).success, example.prompt);
    });

    it('has an output schema of an object that names no foreign dialect', () => {
      const output = wireOutputSchema(tool);
      assert.deepEqual([output.type, '$schema' in output], ['object', false]);
    });

    it('takes part in every run within a bound', () => {
      assert.ok(tool.timeoutSeconds > 0 && tool.timeoutSeconds <= 60);
    });
  });
}

describe('the catalog', () => {
  it('lists the tools of the sources under their names', () => {
    assert.deepEqual(tools.map(({ name }) => name).sort(), [
      'cancel_action',
      'check_stock',
      'create_reorder',
      'get_action_status',
      'get_delivery_status',
      'get_inventory_status',
      'get_order_details',
      'get_order_status',
      'get_price',
      'get_shipping_estimate',
      'list_drivers',
      'list_recent_orders',
      'schedule_promotion',
      'search_policies',
      'withdraw_promotion',
    ]);
  });

  it('gives every name once, over tools, internal reads and resources', () => {
    assert.equal(specs.size, tools.length + internalTools.length + resources.length);
  });

  it('keeps internal reads from every client', () => {
    for (const { name } of internalTools) assert.equal(catalog.has(name), false, name);
  });

  it('marks as internal what is not listed, and nothing else', () => {
    const internal = (tool: (typeof tools)[number]) => tool.effect !== 'action' && tool.internal;
    assert.deepEqual([tools.some(internal), internalTools.every(internal)], [false, true]);
  });

  it('has no action without a gate', () => {
    for (const tool of tools.filter(({ effect }) => effect === 'action'))
      assert.ok('risk' in tool && tool.risk && tool.approverRole && tool.schemaVersion >= 1, tool.name);
  });

  it('lets no role approve what it is refused to read', () => {
    for (const tool of tools)
      if (tool.effect === 'action')
        assert.ok(SCOPES_OF[tool.approverRole].includes('approvals:decide'), tool.name);
  });

  it('checks a new action by an internal read of the same input', () => {
    for (const tool of tools) {
      if (tool.effect !== 'action' || tool.precheck === undefined) continue;
      const check = internalTools.find(({ name }) => name === tool.precheck);
      assert.deepEqual(check && z.toJSONSchema(check.input), z.toJSONSchema(tool.input));
    }
  });

  it('writes nothing outside of actions and its own records', () => {
    const writers = LIVE.filter(({ effect }) => effect !== 'read').map(({ name }) => name);
    assert.deepEqual(writers, ['create_reorder', 'schedule_promotion', 'withdraw_promotion']);
  });

  it('has the tools of the platform on every server', () => {
    for (const server of SERVERS)
      assert.deepEqual(
        toolsOf(server)
          .filter((tool) => tool.server === 'platform')
          .map(({ name }) => name),
        ['cancel_action', 'get_action_status'],
      );
  });

  it('shows on one server nothing of another', () => {
    assert.deepEqual(
      toolsOf('orders')
        .filter((tool) => tool.server === 'inventory')
        .map(({ name }) => name),
      [],
    );
  });
});
