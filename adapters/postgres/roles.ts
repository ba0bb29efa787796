import { escapeIdentifier, type Client } from 'pg';

/** Owns every table. Cannot log in, and row-level security is forced on it like on everybody else. */
export const OWNER = 'countersign_owner';

/**
 * What each pool works as. `read`: selects of one shop. `write`: one shop, and only what a table grants.
 * `system`: reads every shop, for cross-shop jobs and backups; writes where a migration says so by name.
 */
export const ROLE_OF = {
  read: 'countersign_read',
  write: 'countersign_write',
  system: 'countersign_system',
} as const;

const GROUP_ROLES = [OWNER, ROLE_OF.read, ROLE_OF.write, ROLE_OF.system];

/** Codes of "somebody else has just done the same": two processes may prepare one server at once. */
const ALREADY_DONE = new Set(['42710', '23505']);

type Known = { readonly name: string; readonly safe: boolean; readonly reachable: boolean };

/**
 * Makes sure the group roles exist, that the login may become each of them, and that their owner may create
 * tables. Does nothing when all is there.
 *
 * @throws {Error} naming the statements an administrator must run, when the login may not run them; or naming
 *   a group role that could bypass row-level security.
 */
export async function prepareRoles(client: Client): Promise<void> {
  const known = await knownRoles(client);
  const unsafe = known.find(({ safe }) => !safe);
  if (unsafe) {
    throw new Error(
      `Role ${unsafe.name} can log in or bypasses row-level security. Run as an administrator:\n` +
        `  alter role ${unsafe.name} nologin nosuperuser nobypassrls;`,
    );
  }
  const statements = await missing(client, known);
  try {
    for (const statement of statements) await unlessDone(client, statement);
  } catch (error) {
    if (codeOf(error) !== '42501') throw error;
    const list = (await missing(client, await knownRoles(client))).map((statement) => `  ${statement};`);
    throw new Error(
      ['This login may not prepare the database. An administrator must run, connected to it:', ...list].join(
        '\n',
      ),
      { cause: error },
    );
  }
}

async function knownRoles(client: Client): Promise<readonly Known[]> {
  const { rows } = await client.query<Known>(
    `select rolname as name,
            not (rolsuper or rolbypassrls or rolcanlogin) as safe,
            -- Until PostgreSQL 16 whoever is a member may also set the role.
            pg_has_role(session_user, oid,
              case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) as reachable
       from pg_roles where rolname = any($1)`,
    [GROUP_ROLES],
  );
  return rows;
}

async function missing(client: Client, known: readonly Known[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ login: string; may_create: boolean | null }>(
    `select session_user as login,
            (select has_schema_privilege(oid, 'public', 'create') from pg_roles where rolname = $1)
              as may_create`,
    [OWNER],
  );
  const login = escapeIdentifier(rows[0]?.login ?? '');
  const byName = new Map(known.map((role) => [role.name, role]));
  return [
    ...GROUP_ROLES.filter((name) => !byName.has(name)).map((name) => `create role ${name} nologin`),
    ...GROUP_ROLES.filter((name) => byName.get(name)?.reachable !== true).map(
      (name) => `grant ${name} to ${login}`,
    ),
    ...(rows[0]?.may_create === true ? [] : [`grant usage, create on schema public to ${OWNER}`]),
  ];
}

async function unlessDone(client: Client, statement: string): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    if (!ALREADY_DONE.has(codeOf(error) ?? '')) throw error;
  }
}

/** SQLSTATE or Node error code, when the error carries one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
