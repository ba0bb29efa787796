import { PolicyIndexError } from '../../domain/policies.ts';
import type { PolicyRun } from '../../domain/policy-registry.ts';
import type { IngestDeps } from './deps.ts';
import { settlePolicies } from './publish.ts';

/** After a run that failed, and while the index is away. */
const AGAIN_MS = 5 * 60_000;
const RUNS_KEPT = 500;

/** The run to do now, asked for by somebody or by the clock; else how long nothing is to do. */
export async function nextRun(
  deps: IngestDeps,
  onError: (error: unknown) => void,
): Promise<{ readonly runId: string | null; readonly waitMs: number }> {
  const { runs } = deps;
  const open = await runs.open();
  if (open !== undefined) return { runId: open.id, waitMs: 0 };
  const dueMs = await settled(deps, onError);
  const [last] = (await runs.latest(RUNS_KEPT)).filter(({ kind }) => kind !== 'rollback');
  const waitMs = untilSync(deps, last);
  if (waitMs > 0) return { runId: null, waitMs: Math.min(waitMs, dueMs ?? Infinity) };
  await runs.forget(RUNS_KEPT);
  const { id } = await runs.request({ kind: 'sync', target: null, requestedBy: 'clock' });
  return { runId: id, waitMs: 0 };
}

function untilSync(deps: IngestDeps, last: PolicyRun | undefined): number {
  if (last === undefined) return 0;
  const pauseMs = last.outcome?.status === 'failed' ? Math.min(deps.syncMs, AGAIN_MS) : deps.syncMs;
  return Date.parse(last.requestedAt) + pauseMs - Date.parse(deps.moment().at);
}

/** An index that is away keeps nobody from reading the source. */
async function settled(deps: IngestDeps, onError: (error: unknown) => void): Promise<number | null> {
  try {
    return await settlePolicies(deps);
  } catch (error) {
    if (!(error instanceof PolicyIndexError)) throw error;
    onError(error);
    return AGAIN_MS;
  }
}
