import assert from 'node:assert/strict';
import { catalog, mayUse, prompts, resources, tools } from '../../catalog/index.ts';
import { scopesOf, type Role } from '../../domain/roles.ts';

const as = (role: Role, customerId?: string) => ({
  scopes: scopesOf([role]),
  ...(customerId === undefined ? {} : { customerId }),
});
const toolsFor = (role: Role, customerId?: string) =>
  tools.filter((tool) => mayUse(tool, as(role, customerId))).map(({ name }) => name);

describe('who may use what', () => {
  it('shows a customer the order, stock, price and policy look-ups, and nothing else', () => {
    assert.deepEqual(toolsFor('customer', 'cust_1'), [
      'cancel_action',
      'check_stock',
      'get_order_status',
      'get_price',
      'get_shipping_estimate',
      'list_recent_orders',
      'search_policies',
    ]);
  });

  it('shows a customer token without a customer no orders: without an own there is nothing to see', () => {
    assert.deepEqual(toolsFor('customer'), [
      'check_stock',
      'get_price',
      'get_shipping_estimate',
      'search_policies',
    ]);
  });

  it('shows a customer no resource but the policies', () => {
    assert.deepEqual(
      resources.filter((resource) => mayUse(resource, as('customer', 'cust_1'))).map(({ name }) => name),
      ['policy_documents', 'policy_document', 'policy_document_as_of', 'policy_version', 'policy_of_kind'],
    );
  });

  it('lets the supply-chain manager and the warehouse lead reorder, and nobody else', () => {
    const roles: readonly Role[] = [
      'supply_chain_manager',
      'warehouse_lead',
      'returns_specialist',
      'finance',
      'analyst',
      'customer',
      'prototype',
      'admin',
    ];
    assert.deepEqual(
      roles.filter((role) =>
        toolsFor(role, role === 'customer' ? 'c' : undefined).includes('create_reorder'),
      ),
      ['supply_chain_manager', 'warehouse_lead'],
    );
  });

  it('shows the administrator no business tool', () => {
    assert.deepEqual(toolsFor('admin'), ['get_action_status']);
  });

  it('shows nothing to a caller without scopes', () => {
    const nobody = { scopes: [], customerId: 'cust_1' };
    const all = [...catalog.values(), ...resources, ...prompts];
    assert.deepEqual(
      all.filter((one) => mayUse(one, nobody)),
      [],
    );
  });

  it('gives the prompts to the supply-chain manager', () => {
    assert.deepEqual(
      prompts.filter((prompt) => mayUse(prompt, as('supply_chain_manager'))).map(({ name }) => name),
      [
        'low_stock_review',
        'daily_supply_chain_briefing',
        'investigate_late_shipment',
        'in_flight_review',
        'answer_policy_question',
      ],
    );
  });
});
