import { PolicyIndexError } from '../../domain/policies.ts';
import { assertName } from '../checks.ts';
import { INDICES, type Meta } from './answers.ts';
import { type Connection, ServerRefusal } from './connection.ts';

/** An index that is ours. */
export type Build = { readonly name: string; readonly meta: Meta };

/** What a name, or an alias, stands for. */
export function buildFinder(server: Connection) {
  /** Names and `_meta` of what the target stands for; an index that is not ours counts as none. */
  async function look(target: string): Promise<readonly Build[]> {
    assertName(target);
    try {
      return await server.ask(INDICES, {
        method: 'GET',
        path: `/${target}`,
        query: { filter_path: '*.mappings._meta' },
      });
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async function find(target: string): Promise<Build> {
    const [build, ...others] = await look(target);
    if (!build) {
      throw new PolicyIndexError(
        'no_build',
        `There is no policy index ${target}. Make one: countersign policy ingest`,
      );
    }
    if (others.length > 0)
      throw aliasBroken(
        target,
        [build, ...others].map(({ name }) => name),
      );
    return build;
  }

  return { look, find };
}

export function isMissing(error: unknown): boolean {
  return error instanceof ServerRefusal && error.status === 404;
}

export function aliasBroken(alias: string, builds: readonly string[]): PolicyIndexError {
  return new PolicyIndexError(
    'alias_broken',
    `Alias ${alias} points to ${builds.join(' and ')}; it must point to one. Mend it: countersign policy ingest`,
  );
}
