import type { ActionSpec } from '../catalog/define.ts';
import { digestOf } from '../catalog/digest.ts';
import type { ApprovedCall } from '../domain/plan.ts';

/**
 * The digest of what is about to run, made again from the input itself and from the tool as it is now. It is what
 * people approved only when the plan, the tool and the input are still the ones they saw.
 */
export function digestOfCall(spec: ActionSpec, { plan, input }: ApprovedCall<unknown>): string {
  const { tenant } = plan.caller;
  return digestOf({ tenant, tool: spec.name, schemaVersion: spec.schemaVersion, input });
}
