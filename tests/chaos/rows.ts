import { asAdmin } from '../support/database.ts';
import type { Stack } from './stack.ts';

/** Rows as the superuser sees them: what is really there, whoever may read it. */
export function rowsOf<T extends Record<string, unknown>>(
  { postgres }: Stack,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<readonly T[]> {
  return asAdmin(async (admin) => (await admin.query<T>(statement, [...parameters])).rows, postgres.url);
}

/** The rows of the record in which a call, or the action of that id, is said to have ended. */
export function endings(stack: Stack, callId: string) {
  return rowsOf<{ outcome: string; reason: string | null }>(
    stack,
    'select outcome, reason from audit_log where call_id = $1 and final',
    [callId],
  );
}

/** The same for a request that its sender gave an id; platform reads that serve it, such as prechecks, left out. */
export function endingsOfRequest(stack: Stack, tool: string, requestId: string) {
  return rowsOf<{ call_id: string; outcome: string }>(
    stack,
    'select call_id, outcome from audit_log where request_id = $1 and tool = $2 and final',
    [requestId, tool],
  );
}

export function purchaseOrders(stack: Stack, actionId: string) {
  return rowsOf<{ po_id: string; quantity: number }>(
    stack,
    'select po_id, quantity from purchase_orders where action_id = $1',
    [actionId],
  );
}

/** How many connections of that process wait for a lock. */
export async function waiting(stack: Stack, application: string): Promise<number> {
  const rows = await rowsOf(
    stack,
    `select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name like $1`,
    [`${application}%`],
  );
  return rows.length;
}

/** Holds a table for itself: whoever needs it waits until `work` is over. */
export function whileLocked<T>(
  { postgres }: Stack,
  table: string,
  work: (release: () => Promise<void>) => Promise<T>,
) {
  return asAdmin(async (admin) => {
    // The server may be killed while it is held.
    admin.on('error', () => undefined);
    await admin.query('begin');
    await admin.query(`lock table ${table} in access exclusive mode`);
    return work(async () => void (await admin.query('rollback')));
  }, postgres.url);
}
