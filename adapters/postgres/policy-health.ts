import { FRESH_SECONDS } from '../../domain/policy-answers.ts';
import type { PolicyHealth } from '../../domain/policy-registry.ts';
import type { Pools } from './pools.ts';

/** How the policies stand, over all shops: what answers, and by both clocks how old it is. */
export async function policyHealth({ system }: Pick<Pools, 'system'>): Promise<PolicyHealth> {
  const { rows } = await system.query<Row>({
    name: 'policy_health',
    text: `select p.build, p.embedder, p.live_at, v.verified_at,
                  extract(epoch from clock_timestamp() - v.verified_at)::float8 as age
             from policy_publications p
            cross join lateral (select min(verified_at) as verified_at from policy_versions
                                 where is_listed and superseded_at is null) v
            where p.state = 'live'`,
  });
  const [live] = rows;
  if (live === undefined) return { status: 'none' };
  return {
    status: (live.age ?? 0) > FRESH_SECONDS ? 'stale' : 'live',
    build: live.build,
    embedder: live.embedder,
    indexed_at: live.live_at.toISOString(),
    verified_at: live.verified_at?.toISOString() ?? null,
    verified_age_s: live.age === null ? null : Math.max(Math.round(live.age), 0),
  };
}

type Row = {
  readonly build: string;
  readonly embedder: string;
  readonly live_at: Date;
  readonly verified_at: Date | null;
  readonly age: number | null;
};
