import { type Admitted, type Decision, DECISIONS } from '../../domain/approval.ts';
import type { Sql } from './pools.ts';

/** The ballots that count, in the order they were cast. */
export async function admittedBallots(sql: Sql, actionId: string): Promise<readonly Admitted[]> {
  const { rows } = await sql.query<{ person_id: string; approver: string; decision: string }>(
    'select person_id, approver, decision from ballots where action_id = $1 and admitted order by ballot_no',
    [actionId],
  );
  return rows.flatMap(({ person_id: personId, approver: subject, decision }) =>
    isDecision(decision) ? [{ personId, subject, decision }] : [],
  );
}

/** How many ballots were judged, counted or not. */
export async function countBallots(sql: Sql, actionId: string): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(
    'select coalesce(max(ballot_no), 0) as n from ballots where action_id = $1',
    [actionId],
  );
  return rows[0]?.n ?? 0;
}

export function isDecision(text: string): text is Decision {
  // The cast widens the tuple so that any string may be looked up in it.
  return (DECISIONS as readonly string[]).includes(text);
}
