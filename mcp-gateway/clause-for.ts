import type { ActionSpec, ToolSpec } from '../catalog/define.ts';
import { policyClause } from '../catalog/policies/policy-clause.ts';
import type { PolicyClause } from '../domain/policy-clause.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Runs } from '../domain/runs.ts';
import type { Asked, Compiler } from './compile-plan.ts';

type Deps = {
  readonly runs: Pick<Runs, 'read'>;
  readonly compiler: Compiler;
  readonly internal: ReadonlyMap<string, ToolSpec>;
};

/** The clause that an action falls under, if there is one to be found: people are asked without it, too. */
export async function clauseFor(
  { runs, compiler, internal }: Deps,
  { policy }: ActionSpec,
  asked: Asked,
): Promise<PolicyClause | undefined> {
  const spec = internal.get(policyClause.name);
  if (policy === undefined || spec?.effect !== 'read') return undefined;
  try {
    const output = await runs.read(compiler.read(spec, { ...policy }, asked), {});
    return policyClause.output.parse(output).clause;
  } catch (error) {
    // Away, busy or slow: that is no reason not to ask.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
