import { escapeLiteral, Pool, type PoolClient } from 'pg';
import { codeOf, ROLE_OF } from './roles.ts';

type PoolKind = keyof typeof ROLE_OF;

export type PoolSettings = {
  readonly writeUrl: string;
  /** Default: writeUrl. A replica, in production. */
  readonly readUrl?: string;
  /** Default: writeUrl. */
  readonly systemUrl?: string;
  /** Default 50 (document 000, "pool size = 50"), per process. */
  readonly readPoolSize?: number;
  /** Default 20. */
  readonly writePoolSize?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** A superuser login is fine in development: the pools work as their roles. Production refuses it. */
  readonly superuserLogin?: 'allowed' | 'refused';
  /** How long a caller waits for a free connection. Default 2500. */
  readonly waitMs?: number;
  /** How long one statement may take on the read and write pools. Default 10000; system: four times that. */
  readonly statementMs?: number;
  /** Told about idle connections that broke; the pool has already dropped them. */
  readonly onIdleError?: (kind: PoolKind, error: Error) => void;
};

export type Pools = {
  readonly write: Pool;
  readonly read: Pool;
  readonly system: Pool;
  close(): Promise<void>;
};

/** What a store needs of a connection. */
export type Sql = Pick<PoolClient, 'query'>;

const DEFAULTS = { readPoolSize: 50, writePoolSize: 20, waitMs: 2_500, statementMs: 10_000 } as const;
/** Opening a transaction is no work: a server that has not done it by then does not answer at all. */
const BEGIN_MS = 2_000;
const SYSTEM_POOL_SIZE = 5;

/**
 * Opens the three pools and proves each by one connection.
 *
 * @throws {Error} a server cannot be reached, a login cannot become its role, login or role bypasses row-level
 *   security, or the pools together may open more connections than a server allows.
 */
export async function openPools(settings: PoolSettings): Promise<Pools> {
  const pools = {
    write: makePool('write', settings),
    read: makePool('read', settings),
    system: makePool('system', settings),
  };
  const close = async () => {
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
  };
  try {
    const servers = [
      await inspect('write', pools.write, settings),
      await inspect('read', pools.read, settings),
      await inspect('system', pools.system, settings),
    ];
    assertRoom(servers);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...pools, close };
}

function urlOf(kind: PoolKind, settings: PoolSettings): string {
  const own = { write: settings.writeUrl, read: settings.readUrl, system: settings.systemUrl }[kind];
  return own ?? settings.writeUrl;
}

function sizeOf(kind: PoolKind, settings: PoolSettings): number {
  if (kind === 'system') return SYSTEM_POOL_SIZE;
  return kind === 'read'
    ? (settings.readPoolSize ?? DEFAULTS.readPoolSize)
    : (settings.writePoolSize ?? DEFAULTS.writePoolSize);
}

function makePool(kind: PoolKind, settings: PoolSettings): Pool {
  const statementMs = (settings.statementMs ?? DEFAULTS.statementMs) * (kind === 'system' ? 4 : 1);
  const waitMs = settings.waitMs ?? DEFAULTS.waitMs;
  const pool = new Pool({
    connectionString: urlOf(kind, settings),
    max: sizeOf(kind, settings),
    connectionTimeoutMillis: waitMs,
    statement_timeout: statementMs,
    // A server that stopped answering cannot time out its own statements.
    query_timeout: statementMs + 2_000,
    lock_timeout: Math.ceil(statementMs / 2),
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: `${settings.applicationName ?? 'countersign'} ${kind}`,
    options: startOptions(kind),
  });
  pool.on('error', (error) => settings.onIdleError?.(kind, error));
  // A connection that breaks between two statements of a transaction says so by an event, which ends the
  // process when nobody listens. The next statement on it fails with the same error.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function startOptions(kind: PoolKind): string {
  const readOnly = kind === 'read' ? ' -c default_transaction_read_only=on' : '';
  return `-c role=${ROLE_OF[kind]} -c timezone=UTC${readOnly}`;
}

type Server = { readonly address: string; readonly size: number; readonly allowed: number };

async function inspect(kind: PoolKind, pool: Pool, settings: PoolSettings): Promise<Server> {
  await pool.query('select').catch((error: unknown) => {
    if (codeOf(error) !== '42501') throw error;
    throw new Error(
      `The login of the ${kind} pool may not work as ${ROLE_OF[kind]}. ` +
        `An administrator must run: grant ${ROLE_OF[kind]} to <login>`,
      { cause: error },
    );
  });
  const { rows } = await pool.query<{
    role: string;
    login: string;
    superuser: boolean;
    bypass: boolean;
    allowed: number;
    address: string | null;
  }>(
    `select current_user as role, session_user as login, l.rolsuper as superuser,
            l.rolbypassrls and not l.rolsuper or r.rolsuper or r.rolbypassrls as bypass,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
              - coalesce(current_setting('reserved_connections', true)::int, 0) as allowed,
            coalesce(inet_server_addr()::text || ':' || inet_server_port(), pg_postmaster_start_time()::text) as address
       from pg_roles r, pg_roles l where r.rolname = current_user and l.rolname = session_user`,
  );
  const found = rows[0];
  if (!found || found.role !== ROLE_OF[kind]) {
    throw new Error(`The ${kind} pool works as ${found?.role ?? 'nobody'} instead of ${ROLE_OF[kind]}.`);
  }
  if (found.bypass || (found.superuser && settings.superuserLogin !== 'allowed')) {
    throw new Error(
      `Login ${found.login} of the ${kind} pool bypasses row-level security. ` +
        `Use a login without superuser and bypassrls that is a member of ${ROLE_OF[kind]}.`,
    );
  }
  return { address: found.address ?? '', size: sizeOf(kind, settings), allowed: found.allowed };
}

function assertRoom(servers: readonly Server[]): void {
  for (const { address, allowed } of servers) {
    const sum = servers.filter((s) => s.address === address).reduce((total, { size }) => total + size, 0);
    if (sum > allowed) {
      throw new Error(
        `The pools may open ${sum} connections, and the server allows ${allowed} to ordinary logins. ` +
          'Raise max_connections or make the read pool smaller (DATABASE_READ_POOL_SIZE).',
      );
    }
  }
}

/**
 * Runs `work` in one transaction that sees and touches this shop only; on the read pool it is read-only. The
 * tenant ends with the transaction: nothing of it stays on the connection.
 */
export function inTenant<T>(pool: Pool, tenant: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  if (tenant === '' || tenant.includes('\0')) return Promise.reject(new Error('No shop to work in.'));
  // One round trip for both. escapeLiteral is what makes the text safe: statements sent together take no
  // parameters.
  return transaction(
    pool,
    `begin; select set_config('countersign.shop_id', ${escapeLiteral(tenant)}, true)`,
    work,
  );
}

/** Runs `work` in one transaction without a tenant: for the system pool, whose policies name what it may. */
export function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  return transaction(pool, 'begin', work);
}

async function transaction<T>(pool: Pool, begin: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A variable, since pg's types do not know that a statement can have its own timeout.
  const opening = { text: begin, query_timeout: BEGIN_MS };
  let broken = true;
  try {
    await client.query(opening);
    const result = await work(client);
    await client.query('commit');
    broken = false;
    return result;
  } catch (error) {
    broken = !(await rolledBack(client, error));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** False when the connection must not be used again: its transaction may still be open. */
async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  if (isUnavailable(error)) return false;
  return client.query('rollback').then(
    () => true,
    () => false,
  );
}

/** SQLSTATEs and Node codes of a database that cannot serve now: gone, starting, stopping, full, too slow. */
const UNAVAILABLE = new Set([
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '57014',
  '25P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'ENOENT',
]);
/** What pg says without a code. */
const UNAVAILABLE_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end)/;

/** True when the database could not answer in time, as opposed to answering no. The effect of a write is unknown then. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code !== undefined && (UNAVAILABLE.has(code) || code.startsWith('08'))) return true;
  return UNAVAILABLE_TEXT.test(error.message) || isUnavailable(error.cause);
}
