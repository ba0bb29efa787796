import { randomBytes, randomUUID } from 'node:crypto';
import { createActionCourt } from '../../adapters/postgres/action-court.ts';
import { createActionDesk } from '../../adapters/postgres/action-desk.ts';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import { createEffects } from '../../adapters/postgres/effects.ts';
import { createGrants, seedDevelopmentGrants } from '../../adapters/postgres/grants.ts';
import { digestOf, hashOf } from '../../catalog/digest.ts';
import type { Effects } from '../../domain/action.ts';
import { type Ballot, type CastBallot, RULE_VERSION } from '../../domain/approval.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import type { Caller } from '../../domain/principal.ts';
import type { BallotStatement, Seals } from '../../domain/seals.ts';
import { createSeals } from '../../platform/seals.ts';
import { asAdmin, freshDatabase } from '../support/database.ts';

export const ISSUER = 'urn:test:issuer';
export const SHOP = 'manga';

export function caller(subject: string, more: Partial<Caller> = {}): Caller {
  return { tenant: SHOP, subject, issuer: ISSUER, assurance: 'development', ...more };
}

export const manager = caller('supply_chain_manager');
export const lead = caller('warehouse_lead');

export type RoomKeys = { readonly seal: readonly string[]; readonly personal: readonly string[] };

/** A court room: a fresh database with one shop, one position with room for 50, and a person per role. */
export async function openRoom(keys: RoomKeys = newKeys()) {
  const database = await freshDatabase();
  const { pools } = database;
  const grants = createGrants(pools);
  const seals: Seals = createSeals<BallotStatement>(keys);
  await asAdmin(async (admin) => {
    for (const shop of [SHOP, 'other']) {
      await admin.query(`insert into shops (id, name, currency) values ($1, $1, 'JPY')`, [shop]);
      await admin.query(
        `insert into products (shop_id, id, name, category, price, currency, sku) values ($1, 1, 'Volume 42', 'Books', 770, 'JPY', 'BER42-42')`,
        [shop],
      );
      await admin.query(
        `insert into warehouses (shop_id, id, code, city, region) values ($1, 1, 'WH-2', 'Osaka', 'JP')`,
        [shop],
      );
      await admin.query(
        `insert into inventory (shop_id, product_id, warehouse_id, quantity, max_stock_level) values ($1, 1, 1, 0, 50)`,
        [shop],
      );
    }
  }, database.adminUrl);
  for (const shop of [SHOP, 'other']) await seedDevelopmentGrants(grants, shop, ISSUER);
  return {
    ...database,
    keys,
    grants,
    seals,
    desk: createActionDesk(pools),
    court: createActionCourt(pools),
    effects: createEffects(pools),
    audit: createAuditLog(pools),
  };
}

function newKeys(): RoomKeys {
  const key = () => [randomBytes(32).toString('base64')];
  return { seal: key(), personal: key() };
}

export type Room = Awaited<ReturnType<typeof openRoom>>;

type Ask = {
  readonly by?: Caller;
  readonly quantity?: number;
  readonly approvers?: number;
  readonly expiresInMs?: number;
};

/** A sealed plan to reorder BER42-42 at WH-2, as the gateway makes them. */
export function planned(
  room: Pick<Room, 'seals'>,
  ask: Ask = {},
  more: Partial<ActionPlan> = {},
): ActionPlan {
  const { by = manager, quantity = 10, approvers = 1, expiresInMs = 60_000 } = ask;
  const input = { sku: 'BER42-42', quantity, warehouse: 'WH-2' };
  const now = Date.now();
  return room.seals.sealPlan<ActionPlan>({
    version: 1,
    kind: 'action',
    callId: `create_reorder-${randomUUID()}`,
    tool: 'create_reorder',
    server: 'inventory',
    caller: by,
    input,
    inputHash: hashOf(input),
    transport: 'http',
    requestId: randomUUID(),
    timeoutSeconds: 20,
    schemaVersion: 1,
    digest: digestOf({ tenant: by.tenant, tool: 'create_reorder', schemaVersion: 1, input }),
    risk: 'normal',
    approval: { role: 'warehouse_lead', approvers, expiresInSeconds: expiresInMs / 1_000 },
    ruleVersion: RULE_VERSION,
    title: 'Reorder stock',
    asks: `Order ${quantity}× BER42-42 for WH-2.`,
    requestedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + expiresInMs).toISOString(),
    scopes: ['inventory:write'],
    ...more,
  });
}

let ballots = 0;

export function cast(ballot: Ballot, arrivedAt = new Date()): CastBallot {
  ballots += 1;
  return { ballotNo: ballots, ballot, arrivedAt: arrivedAt.toISOString() };
}

/** A vote with a one-time code, as a person sends it through Temporal. */
export async function voteByCode(
  room: Room,
  plan: ActionPlan,
  by: Caller,
  decision: 'approve' | 'reject' = 'approve',
) {
  const { code } = await room.desk.issueCode(by, plan.callId, decision);
  return room.court.judge(plan, cast({ decision, approver: by.subject, code }), undefined);
}

/** What the gateway vouches for when `by` decides over HTTP. */
export function proofOf(plan: ActionPlan, by: Caller, more: Partial<BallotStatement> = {}): BallotStatement {
  return {
    tenant: by.tenant,
    actionId: plan.callId,
    digest: plan.digest,
    decision: 'approve',
    subject: by.subject,
    issuer: by.issuer,
    jti: randomUUID(),
    expiresAtUnix: Math.floor(Date.now() / 1_000) + 60,
    ...more,
  };
}

/** The body of create_reorder, without its checks: one purchase order. */
export function order(
  effects: Effects,
  plan: ActionPlan,
  during: () => Promise<void> = async () => undefined,
) {
  const { callId, digest, input } = plan;
  return effects.once({ plan, idempotencyKey: `${callId}:1`, input }, digest, async ({ stock }) => {
    await stock.lockPosition('BER42-42', 'WH-2');
    const placed = await stock.placePurchaseOrder({ sku: 'BER42-42', quantity: 10, warehouse: 'WH-2' });
    await during();
    return { po_id: placed.id };
  });
}

export async function purchaseOrders(room: Room): Promise<number> {
  const { rows } = await asAdmin(
    (admin) => admin.query<{ n: string }>('select count(*) as n from purchase_orders'),
    room.adminUrl,
  );
  return Number(rows[0]?.n);
}

/** Runs SQL as the superuser: what an attacker inside, or a later administrator, may have changed. */
export async function meddle(room: Room, sql: string, params: readonly unknown[] = []): Promise<void> {
  await asAdmin((admin) => admin.query(sql, [...params]), room.adminUrl);
}
