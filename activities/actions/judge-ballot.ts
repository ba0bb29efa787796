import type { ActionCourt } from '../../domain/action.ts';
import type { Seals } from '../../domain/seals.ts';
import type { PlatformActivities } from '../../domain/tasks.ts';
import { assertOwnPlan } from './own-plan.ts';

/** A ballot names itself; what counts is the gateway's proof or a one-time code, and the grants as they are now. */
export function judgeBallot(
  court: Pick<ActionCourt, 'judge'>,
  seals: Pick<Seals, 'isSealed' | 'checkBallotProof'>,
): PlatformActivities['judgeBallot'] {
  return async ({ plan, run, cast }) => {
    assertOwnPlan(seals, { plan, run });
    const { proof } = cast.ballot;
    return court.judge(plan, cast, proof === undefined ? undefined : seals.checkBallotProof(proof));
  };
}
