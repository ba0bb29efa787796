import { LRUCache } from 'lru-cache';
import type { Rewriter } from '../../domain/policies.ts';
import type { Rewrite } from '../../domain/policy-answers.ts';
import { limited } from '../limited.ts';

/** Whoever asks waits for it: a model that takes longer is done without. */
const REWRITE_MS = 1_500;
const MOST_CHARACTERS = 1_000;
/** The same person asks again, or another gateway tries the same call: for so long the answer is kept, in this process. */
const KEPT = { max: 500, ttl: 600_000 };
const QUOTED = /^["'“”«「『](.*)["'“”»」』]$/su;

/**
 * Rewrites, and never fails: what comes late, empty, endless or not at all is undefined, and whoever asks goes on with
 * the questions as they were put.
 *
 * @param onFailed told why there was none
 */
export function rewriting(
  rewriter: Rewriter,
  onFailed: (error: unknown) => void = () => undefined,
  withinMs = REWRITE_MS,
): Rewrite {
  const kept = new LRUCache<string, string>(KEPT);
  return async (question, previous) => {
    const key = JSON.stringify([question, previous]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    try {
      const said = await limited((signal) => rewriter.rewrite(question, previous, signal), withinMs);
      const rewritten = questionIn(said);
      kept.set(key, rewritten);
      return rewritten;
    } catch (error) {
      onFailed(error);
      return undefined;
    }
  };
}

/** @throws {Error} when it is no question of the length that one may have */
function questionIn(said: string): string {
  const line = said.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const bare = QUOTED.exec(line)?.[1]?.trim() ?? line;
  if (bare === '' || bare.length > MOST_CHARACTERS) throw new Error('The rewriter gave no question.');
  return bare;
}
