import { PolicyIndexError } from '../../domain/policies.ts';
import { assertName } from '../checks.ts';
import { ALIASES, ANY } from './answers.ts';
import type { Connection } from './connection.ts';
import { aliasBroken, type Build, isMissing } from './find-build.ts';

/** Which build is live. Every change is one request, and says what it believes to be so before. */
export function aliasKeeper(server: Connection, find: (name: string) => Promise<Build>) {
  async function aliasesOf(name: string): Promise<readonly string[]> {
    const found = await server.ask(ALIASES, { method: 'GET', path: `/${name}/_alias` });
    return Object.keys(found[name]?.aliases ?? {}).sort();
  }

  async function resolveAlias(alias: string): Promise<readonly string[]> {
    assertName(alias);
    try {
      return Object.keys(await server.ask(ALIASES, { method: 'GET', path: `/_alias/${alias}` })).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async function pointAlias(alias: string, to: string, from: string | undefined): Promise<void> {
    const current = await resolveAlias(alias);
    if (current.length > 1) throw aliasBroken(alias, current);
    if (current[0] === to) return;
    if (current[0] !== from) throw aliasMoved(alias, current[0], from);
    await assertSealed(to);
    const remove = from === undefined ? [] : [{ remove: { index: from, alias, must_exist: true } }];
    const actions = [...remove, { add: { index: to, alias } }];
    try {
      await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
    } catch (error) {
      if (isMissing(error)) throw aliasMoved(alias, (await resolveAlias(alias))[0], from);
      throw error;
    }
    if (from === undefined) await assertAlone(alias, to);
  }

  async function assertSealed(name: string): Promise<void> {
    if ((await find(name)).meta.sealed) return;
    throw new PolicyIndexError('not_sealed', `Build ${name} is still open: seal it before it goes live.`);
  }

  async function mendAlias(alias: string, to: string): Promise<void> {
    await assertSealed(to);
    const others = (await resolveAlias(alias)).filter((name) => name !== to);
    const actions = [...others.map((index) => ({ remove: { index, alias } })), { add: { index: to, alias } }];
    await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
  }

  /** An alias can be made twice at the same time; the later of the two takes its own back. */
  async function assertAlone(alias: string, to: string): Promise<void> {
    const pointing = await resolveAlias(alias);
    const first = pointing[0];
    if (pointing.length < 2 || first === to) return;
    const actions = [{ remove: { index: to, alias } }];
    await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
    throw aliasMoved(alias, first, undefined);
  }

  return { aliasesOf, resolveAlias, pointAlias, mendAlias };
}

function aliasMoved(name: string, found: string | undefined, believed: string | undefined): PolicyIndexError {
  return new PolicyIndexError(
    'alias_moved',
    `Alias ${name} points to ${found ?? 'nothing'}, not to ${believed ?? 'nothing'}.`,
  );
}
