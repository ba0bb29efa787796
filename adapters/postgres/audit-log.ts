import type { AuditEntry, AuditFilter, AuditLog, AuditReader } from '../../domain/audit.ts';
import type { OutgoingEvent } from '../../domain/events.ts';
import type { JsonObject } from '../../domain/json.ts';
import { storableJson } from '../../domain/storable.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';

const COLUMNS = `key, call_id, event, final, outcome, reason, tool, subject, actor, customer_id, assurance, input_hash,
  result_hash, workflow_id, run_id, request_id, transport, details`;

/** The tenant, where the transaction has set it already. */
const WITHIN = '$1::text';

/** The append-only record in Postgres. */
export function createAuditLog(pools: Pick<Pools, 'write' | 'read'>): AuditLog & AuditReader {
  return {
    append: async (entries) => {
      for (const [tenant, own] of byTenant(entries)) await appendFor(pools.write, tenant, own);
    },
    // From the primary: who asks for the record has usually just done something.
    list: (tenant, filter) => inTenant(pools.write, tenant, (sql) => selectAudit(sql, filter)),
  };
}

/**
 * Each row is one round trip: a statement of its own that names its tenant itself, because every answered read
 * waits for its row.
 */
async function appendFor(
  pool: Pools['write'],
  tenant: string,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (tenant === '' || tenant.includes('\0')) throw new Error('No shop to record for.');
  await appendAudit(pool, entries, `set_config('countersign.shop_id', $1, true)`);
}

/** Appends within a transaction that has the entries' tenant set. A key seen before is a no-op. */
export async function appendAudit(
  sql: Pick<Sql, 'query'>,
  entries: readonly AuditEntry[],
  tenant: string = WITHIN,
): Promise<void> {
  for (const entry of entries) {
    const written = await insert(sql, entry, tenant);
    // A second ending of a call that has one (a workflow run again by hand) is kept, as what it is: not the ending.
    if (!written && entry.final) await insert(sql, { ...entry, final: false }, tenant);
  }
}

async function insert(sql: Pick<Sql, 'query'>, said: AuditEntry, tenant: string): Promise<boolean> {
  // A row that Postgres refuses for what a caller wrote into it would be owed for ever.
  const entry = storableJson(said);
  const { publishes: told } = entry;
  const alone = tenant === WITHIN ? '' : '_alone';
  const { rowCount } = await sql.query(
    // Prepared once per connection: planning it takes longer than running it.
    told === undefined
      ? { name: `append_audit${alone}`, text: appending(tenant), values: valuesOf(entry) }
      : {
          name: `append_audit_and_publish${alone}`,
          text: appendingAndPublishing(tenant),
          values: [...valuesOf(entry), ...publishedValuesOf(told)],
        },
  );
  return rowCount === 1;
}

function appending(tenant: string): string {
  return `insert into audit_log (shop_id, happened_at, ${COLUMNS})
     select shop_id, $2::timestamptz, $3, $4, $5, $6::boolean, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20::jsonb from (select ${tenant} as shop_id) as tenant
         on conflict do nothing`;
}

/** Row and event in one statement: the caller waits for no other, and neither is there without the other. */
function appendingAndPublishing(tenant: string): string {
  return `with written as (${appending(tenant)} returning shop_id),
          told as (insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
                   select shop_id, $21, $22, $23::integer, $24, $25::jsonb, $26::timestamptz from written
                       on conflict do nothing)
     select from written`;
}

function publishedValuesOf({ eventId, topic, version, key, payload, at }: OutgoingEvent): unknown[] {
  return [eventId, topic, version, key, JSON.stringify(payload), at];
}

function valuesOf(entry: AuditEntry): unknown[] {
  return [
    entry.tenant,
    entry.at,
    entry.key,
    entry.callId,
    entry.event,
    entry.final,
    entry.outcome,
    entry.reason ?? null,
    entry.tool,
    entry.subject,
    entry.actor ?? null,
    entry.customerId ?? null,
    entry.assurance ?? null,
    entry.inputHash ?? null,
    entry.resultHash ?? null,
    entry.workflowId ?? null,
    entry.runId ?? null,
    entry.requestId ?? null,
    entry.transport ?? null,
    entry.details === undefined ? null : JSON.stringify(entry.details),
  ];
}

function byTenant(entries: readonly AuditEntry[]): Map<string, AuditEntry[]> {
  const groups = new Map<string, AuditEntry[]>();
  for (const entry of entries) groups.set(entry.tenant, [...(groups.get(entry.tenant) ?? []), entry]);
  return groups;
}

type AuditRow = {
  position: string;
  shop_id: string;
  key: string;
  call_id: string;
  event: AuditEntry['event'];
  final: boolean;
  outcome: AuditEntry['outcome'];
  reason: string | null;
  tool: string;
  subject: string;
  actor: string | null;
  customer_id: string | null;
  assurance: NonNullable<AuditEntry['assurance']> | null;
  input_hash: string | null;
  result_hash: string | null;
  workflow_id: string | null;
  run_id: string | null;
  request_id: string | null;
  transport: string | null;
  details: JsonObject | null;
  happened_at: Date;
};

async function selectAudit(sql: Sql, filter: AuditFilter) {
  const { rows } = await sql.query<AuditRow>(
    `select position, shop_id, happened_at, ${COLUMNS} from audit_log
      where ($1::text is null or call_id = $1) and ($2::text is null or tool = $2)
        and ($3::text is null or subject = $3) and ($4::text is null or outcome = $4)
        and (not $5 or final) and ($6::bigint is null or position < $6)
      order by position desc limit $7`,
    [
      filter.callId ?? null,
      filter.tool ?? null,
      filter.subject ?? null,
      filter.outcome ?? null,
      filter.finalOnly ?? false,
      filter.before ?? null,
      filter.limit,
    ],
  );
  return rows.map(entryOf);
}

function entryOf(row: AuditRow): AuditEntry & { readonly position: number } {
  return {
    position: Number(row.position),
    tenant: row.shop_id,
    key: row.key,
    callId: row.call_id,
    event: row.event,
    final: row.final,
    outcome: row.outcome,
    tool: row.tool,
    subject: row.subject,
    at: row.happened_at.toISOString(),
    ...given({
      reason: row.reason,
      actor: row.actor,
      customerId: row.customer_id,
      assurance: row.assurance,
      inputHash: row.input_hash,
      resultHash: row.result_hash,
      workflowId: row.workflow_id,
      runId: row.run_id,
      requestId: row.request_id,
      transport: row.transport,
      details: row.details,
    }),
  };
}

/** The fields that are not null. */
function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  // The cast states what the filter has just made true.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
