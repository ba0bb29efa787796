import { randomUUID } from 'node:crypto';
import type { PolicyOutcome, PolicyRun, PolicyRunKind, PolicyRuns } from '../../domain/policy-registry.ts';
import type { Pools } from './pools.ts';

const LONGEST_PROGRESS = 500;

/** Runs belong to no shop: only the system role sees them. */
export function createPolicyRuns({ system }: Pick<Pools, 'system'>): PolicyRuns {
  const select = async (text: string, values: readonly unknown[] = []) =>
    (await system.query<Row>(text, [...values])).rows.map(runOf);
  return {
    request: async ({ kind, target, requestedBy }) => {
      const [run] = await select(
        `insert into policy_runs (id, kind, target, requested_by, requested_at)
              values ($1, $2, $3, $4, clock_timestamp()) returning *`,
        [`${kind}-${randomUUID().slice(0, 13)}`, kind, target, requestedBy],
      );
      if (run === undefined) throw new Error('A run was not written.');
      return run;
    },
    find: async (id) => (await select('select * from policy_runs where id = $1', [id]))[0],
    open: async () =>
      (await select('select * from policy_runs where ended_at is null order by requested_at, id limit 1'))[0],
    latest: (limit) => select('select * from policy_runs order by requested_at desc, id limit $1', [limit]),
    note: async (id, { progress, publication, report }) => {
      const { rowCount } = await system.query(
        `update policy_runs set progress = coalesce($2, progress), publication = coalesce($3, publication),
                report = coalesce($4, report)
          where id = $1 and ended_at is null`,
        [
          id,
          progress?.slice(0, LONGEST_PROGRESS) ?? null,
          publication ?? null,
          report === undefined ? null : JSON.stringify(report),
        ],
      );
      return rowCount === 1;
    },
    end: async (id, outcome) => {
      await system.query(
        `update policy_runs set outcome = $2, ended_at = clock_timestamp() where id = $1 and ended_at is null`,
        [id, JSON.stringify(outcome)],
      );
    },
    forget: async (keep) => {
      await system.query(
        `delete from policy_runs where ended_at is not null and id not in
           (select id from policy_runs order by requested_at desc limit $1)`,
        [keep],
      );
    },
  };
}

type Row = {
  readonly id: string;
  readonly kind: PolicyRunKind;
  readonly target: string | null;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly publication: string | null;
  readonly progress: string;
  readonly report: readonly string[];
  readonly outcome: PolicyOutcome | null;
  readonly ended_at: Date | null;
};

function runOf(row: Row): PolicyRun {
  return {
    id: row.id,
    kind: row.kind,
    target: row.target === null ? null : Number(row.target),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    publication: row.publication === null ? null : Number(row.publication),
    progress: row.progress,
    report: row.report,
    outcome: row.outcome,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}
