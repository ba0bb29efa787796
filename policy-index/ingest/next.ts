import { PolicyIndexError } from '../../domain/policies.ts';
import type { PolicyRun } from '../../domain/policy-registry.ts';
import type { IngestDeps } from './deps.ts';
import { isSound } from './plan.ts';
import { settlePolicies } from './publish.ts';

/** After a run that failed, while the index is away, and while what is live cannot answer. */
const AGAIN_MS = 5 * 60_000;
const LEAST_MS = 500;
const RUNS_KEPT = 500;

/** The run to do now, asked for by somebody or by the clock; else how long nothing is to do. */
export async function nextRun(
  deps: IngestDeps,
  onError: (error: unknown) => void,
): Promise<{ readonly runId: string | null; readonly waitMs: number }> {
  const { runs } = deps;
  const open = await runs.open();
  if (open !== undefined) return { runId: open.id, waitMs: 0 };
  const standing = await settled(deps, onError);
  const [last] = (await runs.latest(RUNS_KEPT)).filter(({ kind }) => kind !== 'rollback');
  const waitMs = untilSync(deps, last, standing === 'lost' ? AGAIN_MS : deps.syncMs);
  if (waitMs > 0)
    return {
      runId: null,
      waitMs: Math.max(standing === 'lost' ? waitMs : Math.min(waitMs, standing), LEAST_MS),
    };
  await runs.forget(RUNS_KEPT);
  const { id } = await runs.request({ kind: 'sync', target: null, requestedBy: 'clock' });
  return { runId: id, waitMs: 0 };
}

function untilSync(deps: IngestDeps, last: PolicyRun | undefined, everyMs: number): number {
  if (last === undefined) return 0;
  const pauseMs = last.outcome?.status === 'failed' ? Math.min(everyMs, AGAIN_MS) : everyMs;
  return Date.parse(last.requestedAt) + pauseMs - Date.parse(deps.moment().at);
}

/**
 * Milliseconds until something is due; `lost`: what is live cannot answer, because its builds are gone or the configured
 * embedder is another. An index that is away keeps nobody from reading the source.
 */
async function settled(deps: IngestDeps, onError: (error: unknown) => void): Promise<number | 'lost'> {
  try {
    const dueMs = await settlePolicies(deps);
    const live = (await deps.registry.publications()).find(({ state }) => state === 'live');
    return live !== undefined && !(await isSound(deps, live)) ? 'lost' : (dueMs ?? Infinity);
  } catch (error) {
    if (!(error instanceof PolicyIndexError)) throw error;
    onError(error);
    return error.problem === 'unreachable' ? AGAIN_MS : 'lost';
  }
}
