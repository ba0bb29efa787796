import {
  POLICY_STEPS,
  type PolicyOutcome,
  type PolicyRun,
  type PolicyStep,
  type Publication,
} from '../../domain/policy-registry.ts';
import type { IngestDeps } from './deps.ts';
import { fillPolicies } from './fill.ts';
import { planPolicies } from './plan.ts';
import { checkPolicies, publishPolicies, settlePolicies } from './publish.ts';

/** Does one step. True: the run has ended, with this step or before it. */
export async function policyStep(deps: IngestDeps, step: PolicyStep, runId: string): Promise<boolean> {
  const run = await deps.runs.find(runId);
  if (run === undefined || run.endedAt !== null) return true;
  const outcome = await STEPS[step](deps, run);
  if (outcome !== null) await deps.runs.end(runId, outcome);
  return outcome !== null;
}

/** A whole run, without a workflow. */
export async function runPolicies(deps: IngestDeps, runId: string): Promise<void> {
  for (const step of POLICY_STEPS) if (await policyStep(deps, step, runId)) return;
}

type Step = (deps: IngestDeps, run: PolicyRun) => Promise<PolicyOutcome | null>;

const STEPS: Readonly<Record<PolicyStep, Step>> = {
  read: async (deps, run) => {
    await deps.runs.note(run.id, { progress: `reading ${deps.source.description}` });
    const { outcome } = await planPolicies(deps, run);
    // What stands was looked at, too: it is verified, and time may have superseded some of it.
    if (outcome !== null) await settlePolicies(deps);
    return outcome;
  },
  build: async (deps, run) => {
    await fillPolicies(deps, await publicationOf(deps, run), async (progress) => {
      await deps.runs.note(run.id, { progress });
    });
    return null;
  },
  check: async (deps, run) => {
    await deps.runs.note(run.id, { progress: 'asking the golden questions' });
    return checkPolicies(deps, run, await publicationOf(deps, run));
  },
  publish: async (deps, run) => {
    const publication = await publicationOf(deps, run);
    await publishPolicies(deps, run, publication);
    await settlePolicies(deps);
    return { status: 'published', detail: [`publication ${publication.number}: ${publication.build}`] };
  },
};

async function publicationOf({ registry }: IngestDeps, { id, publication }: PolicyRun): Promise<Publication> {
  const found = (await registry.publications()).find(({ number }) => number === publication);
  if (found === undefined) throw new Error(`Run ${id} has no publication.`);
  return found;
}
