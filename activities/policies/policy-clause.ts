import { createHash } from 'node:crypto';
import type { ToolBodies } from '../../catalog/index.ts';
import type { Effects } from '../../domain/action.ts';
import type { Clock } from '../../domain/clock.ts';
import { PolicyIndexError } from '../../domain/policies.ts';
import type { PolicyVersions } from '../../domain/policy-answers.ts';
import { assertClauseStands, freshSince, type PolicyClause } from '../../domain/policy-clause.ts';
import type { PolicyParts } from './search-policies.ts';
import { type Reading, type VerifiedPassage, verifyPassages } from './verify-passages.ts';

/** An action must not wait for its policy, nor fail for want of one: without a sound index there is none. */
export function policyClause(parts: Omit<PolicyParts, 'cache'>): ToolBodies['policy_clause'] {
  const { finder, versions, clock, realTime } = parts;
  return async ({ caller: { tenant }, input: { kind, question } }) => {
    const now = clock.now();
    // Rules for those who work here alone: what customers are told decides nothing.
    const reading: Reading = {
      tenant,
      audiences: ['staff'],
      atMs: now.getTime(),
      inThePast: false,
      nowMs: realTime.now().getTime(),
    };
    try {
      const { passages } = await finder.find({
        text: question,
        tenant,
        audiences: reading.audiences,
        kinds: [kind],
        effectiveAt: now.toISOString(),
        inThePast: false,
        verifiedSince: freshSince(realTime.now()),
      });
      const [first] = await verifyPassages(versions, passages, reading);
      const isSound = first !== undefined && first.found.suspicion < finder.suspicious;
      return isSound
        ? { status: 'found', clause: { ...clauseOf(first), headingPath: [...first.found.headingPath] } }
        : NONE;
    } catch (error) {
      if (error instanceof PolicyIndexError) return NONE;
      throw error;
    }
  };
}

const NONE = { status: 'none' } as const;

function clauseOf({ found, policy }: VerifiedPassage): PolicyClause {
  const { docId, docVersion, title, sourceUrl, effectiveFrom } = policy;
  const { text, headingPath } = found;
  const digest = createHash('sha256')
    .update(JSON.stringify([docId, docVersion, text]))
    .digest('hex');
  return { docId, docVersion, title, headingPath, text, sourceUrl, effectiveFrom, digest };
}

/** Effects that happen only while the clause that the approvers saw still stands; a repeat is not judged again. */
export function underTheirClause(effects: Effects, versions: PolicyVersions, clock: Clock): Effects {
  return {
    once: (call, digest, effect) =>
      effects.once(call, digest, async (work) => {
        const { clause, caller } = call.plan;
        if (clause !== undefined) await assertClauseStands(versions, caller.tenant, clause, clock.now());
        return effect(work);
      }),
  };
}
