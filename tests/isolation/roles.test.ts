import assert from 'node:assert/strict';
import { z } from 'zod';
import { catalog, prompts, resources } from '../../catalog/index.ts';
import { asAdmin } from '../support/database.ts';
import { type Stack, startStack } from '../gateway/stack.ts';
import { type RawSession, openSession } from '../gateway/wire.ts';

type Sees = {
  readonly tools: readonly string[];
  readonly resources: readonly string[];
  readonly prompts: readonly string[];
};

const ORDERS = ['get_order_details', 'get_order_status', 'list_recent_orders'];
const SHOPPING = ['check_stock', 'get_price', 'get_shipping_estimate', 'search_policies'];
const LOGISTICS = ['get_delivery_status', 'list_drivers'];
const PROMOTING = ['schedule_promotion', 'withdraw_promotion'];
const STOCK = ['purchase_order', 'region_stock', 'warehouse_stock', 'warehouses'];
const ORDER_FEEDS = ['demand_7d', 'order_record', 'upcoming_orders'];
const LOGISTICS_FEEDS = ['deliveries_in_flight', 'drivers', 'order_delivery'];
const POLICIES = [
  'policy_document',
  'policy_document_as_of',
  'policy_documents',
  'policy_of_kind',
  'policy_version',
];

const MANAGER: Sees = {
  tools: [
    ...ORDERS,
    ...SHOPPING,
    ...LOGISTICS,
    ...PROMOTING,
    'cancel_action',
    'create_reorder',
    'get_action_status',
    'get_inventory_status',
  ],
  resources: [...STOCK, ...ORDER_FEEDS, ...LOGISTICS_FEEDS, ...POLICIES, 'pending_approvals', 'promotions'],
  prompts: [
    'answer_policy_question',
    'daily_supply_chain_briefing',
    'in_flight_review',
    'investigate_late_shipment',
    'low_stock_review',
  ],
};
const CUSTOMER: Sees = {
  tools: [...SHOPPING, 'cancel_action', 'get_order_status', 'list_recent_orders'],
  resources: POLICIES,
  prompts: ['answer_policy_question'],
};

/** Who is shown what. Written by hand: whoever changes it means to. */
const MATRIX: Readonly<Record<string, Sees>> = {
  supply_chain_manager: MANAGER,
  warehouse_lead: {
    tools: [
      ...ORDERS,
      ...SHOPPING,
      ...LOGISTICS,
      'cancel_action',
      'create_reorder',
      'get_action_status',
      'get_inventory_status',
    ],
    resources: [...STOCK, ...ORDER_FEEDS, ...LOGISTICS_FEEDS, ...POLICIES, 'pending_approvals'],
    prompts: ['answer_policy_question', 'in_flight_review', 'investigate_late_shipment', 'low_stock_review'],
  },
  returns_specialist: {
    tools: [...ORDERS, ...SHOPPING, 'cancel_action', 'get_action_status'],
    resources: [...ORDER_FEEDS, ...POLICIES],
    prompts: ['answer_policy_question', 'investigate_late_shipment'],
  },
  finance: {
    tools: [...ORDERS, ...SHOPPING, ...PROMOTING, 'cancel_action', 'get_action_status'],
    resources: [...ORDER_FEEDS, ...POLICIES, 'pending_approvals', 'promotions'],
    prompts: ['answer_policy_question', 'investigate_late_shipment'],
  },
  analyst: {
    tools: [...ORDERS, ...SHOPPING, 'get_action_status', 'get_inventory_status'],
    resources: [...STOCK, ...ORDER_FEEDS, ...POLICIES, 'promotions'],
    prompts: ['answer_policy_question', 'investigate_late_shipment', 'low_stock_review'],
  },
  prototype: {
    tools: [...ORDERS, ...SHOPPING, ...LOGISTICS, 'get_action_status', 'get_inventory_status'],
    resources: [...STOCK, ...ORDER_FEEDS, ...LOGISTICS_FEEDS, ...POLICIES, 'promotions'],
    prompts: MANAGER.prompts,
  },
  admin: { tools: ['get_action_status'], resources: ['pending_approvals'], prompts: [] },
  'customer:C-1': CUSTOMER,
  'agent:customer:C-1': CUSTOMER,
  'agent:supply_chain_manager': MANAGER,
};

const NAMED = z.array(z.object({ name: z.string() }));

describe('what each role is shown', function () {
  this.timeout(120_000);
  let stack: Stack;
  before(async () => {
    stack = await startStack({ withoutWorker: true });
  });
  after(() => stack?.stop());

  for (const [as, sees] of Object.entries(MATRIX)) {
    describe(`to ${as}`, () => {
      let session: RawSession;
      before(async () => {
        session = await openSession(stack.url, await stack.mint(as));
      });

      it('is this and nothing else', async () => {
        assert.deepEqual(await shown(session), {
          tools: [...sees.tools].sort(),
          resources: [...sees.resources].sort(),
          prompts: [...sees.prompts].sort(),
        });
      });

      it('does not let the rest be called, and records each try', async () => {
        for (const { name, examples } of catalog.values()) {
          if (sees.tools.includes(name)) continue;
          const [{ input }] = examples;
          const answer = await session.ask('tools/call', { name, arguments: input }, `${as} ${name}`);
          assert.deepEqual([answer.error?.code, answer.error?.message], [-32602, `Unknown tool: ${name}`]);
          assert.deepEqual(await record(`${as} ${name}`), [
            { outcome: 'denied', reason: 'unknown_tool', final: true },
          ]);
        }
      });

      it('does not let the rest be read, and records each try', async () => {
        for (const { name, uri } of resources) {
          if (sees.resources.includes(name)) continue;
          const one = uri
            .replace('{order_id}', '88213')
            .replace('{id}', '1001')
            .replace(/\{\w+\}/, 'WH-2');
          const answer = await session.ask('resources/read', { uri: one }, `${as} ${uri}`);
          assert.equal(answer.error?.code, -32002, JSON.stringify(answer));
          assert.deepEqual(await record(`${as} ${uri}`), [
            { outcome: 'denied', reason: 'not_found', final: true },
          ]);
        }
        for (const { name } of prompts) {
          if (sees.prompts.includes(name)) continue;
          const answer = await session.ask('prompts/get', { name }, `${as} ${name}`);
          assert.deepEqual([answer.error?.code, answer.error?.message], [-32602, 'Unknown prompt']);
          assert.deepEqual(await record(`${as} ${name}`), [
            { outcome: 'denied', reason: 'not_found', final: true },
          ]);
        }
      });
    });
  }

  it('has nothing that no role is shown', () => {
    const all = Object.values(MATRIX);
    const seen = (list: (sees: Sees) => readonly string[]) => [...new Set(all.flatMap(list))].sort();
    assert.deepEqual(
      seen(({ tools }) => tools),
      [...catalog.keys()].sort(),
    );
    assert.deepEqual(
      seen((sees) => sees.resources),
      resources.map(({ name }) => name).sort(),
    );
    assert.deepEqual(
      seen((sees) => sees.prompts),
      prompts.map(({ name }) => name).sort(),
    );
  });

  async function shown(session: RawSession) {
    const names = async (method: string, list: string) => {
      const answer = await session.ask(method, {});
      return NAMED.parse(answer.result?.[list]).map(({ name }) => name);
    };
    const fixed = await names('resources/list', 'resources');
    const templates = await names('resources/templates/list', 'resourceTemplates');
    return {
      tools: (await names('tools/list', 'tools')).sort(),
      resources: [...fixed, ...templates].sort(),
      prompts: (await names('prompts/list', 'prompts')).sort(),
    };
  }

  function record(requestId: string) {
    return asAdmin(async (admin) => {
      const { rows } = await admin.query<Record<string, unknown>>(
        'select outcome, reason, final from audit_log where request_id = $1',
        [requestId],
      );
      return rows;
    }, stack.db.adminUrl);
  }
});
