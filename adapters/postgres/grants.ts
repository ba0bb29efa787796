import type { Grants } from '../../domain/action.ts';
import type { Voter } from '../../domain/approval.ts';
import type { Caller, PersonId } from '../../domain/principal.ts';
import { isRole, ROLES, type Role } from '../../domain/roles.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';

export type GrantRow = {
  readonly personId: string;
  readonly role: string;
  readonly subjects: readonly string[];
  readonly grantedBy: string;
  readonly revokedAt: string | null;
};

/** What an administrator does with grants, beyond what the platform reads. */
export interface GrantOffice {
  list(tenant: string): Promise<readonly GrantRow[]>;
  /** Gives a role, also one that was revoked. */
  grant(tenant: string, issuer: string, subject: string, role: Role, by: string): Promise<void>;
  /** Answers false when the person did not hold the role. */
  revoke(tenant: string, issuer: string, subject: string, role: Role): Promise<boolean>;
}

/** Who is who and who may do what. Always from the primary: a revoked grant must not live on in a replica. */
export function createGrants(pools: Pick<Pools, 'write'>): Grants & GrantOffice {
  const within = <T>(tenant: string, work: (sql: Sql) => Promise<T>) => inTenant(pools.write, tenant, work);
  return {
    voter: (tenant, issuer, subject) => within(tenant, (sql) => selectVoter(sql, issuer, subject)),
    requesters: (caller) => within(caller.tenant, (sql) => selectRequesters(sql, caller)),
    ensure: (tenant, issuer, subject, roles) =>
      within(tenant, async (sql) => {
        const personId = await ensurePerson(sql, tenant, issuer, subject);
        for (const role of roles) await insertGrant(sql, tenant, personId, role, 'development issuer');
      }),
    ensureAgent: (tenant, issuer, agent, ownerSubject) =>
      within(tenant, async (sql) => {
        const owner = await ensurePerson(sql, tenant, issuer, ownerSubject);
        await sql.query(
          `insert into identities (shop_id, issuer, subject, owner_person_id) values ($1, $2, $3, $4)
           on conflict do nothing`,
          [tenant, issuer, agent, owner],
        );
      }),
    list: (tenant) => within(tenant, selectGrants),
    grant: (tenant, issuer, subject, role, by) =>
      within(tenant, async (sql) => {
        const personId = await ensurePerson(sql, tenant, issuer, subject);
        await sql.query(
          `insert into grants (shop_id, person_id, role, granted_by) values ($1, $2, $3, $4)
           on conflict (shop_id, person_id, role)
           do update set revoked_at = null, granted_by = excluded.granted_by, granted_at = now()`,
          [tenant, personId, role, by],
        );
      }),
    revoke: (tenant, issuer, subject, role) =>
      within(tenant, async (sql) => {
        const { rowCount } = await sql.query(
          `update grants g set revoked_at = now() from identities i
            where i.shop_id = g.shop_id and i.person_id = g.person_id and i.issuer = $1 and i.subject = $2
              and g.role = $3 and g.revoked_at is null`,
          [issuer, subject, role],
        );
        return (rowCount ?? 0) > 0;
      }),
  };
}

/** One person per role, each with the login of the role's name: what `npm start` begins with. Repeats change nothing. */
export async function seedDevelopmentGrants(grants: Grants, tenant: string, issuer: string): Promise<void> {
  for (const role of ROLES) if (role !== 'customer') await grants.ensure(tenant, issuer, role, [role]);
}

/** @returns undefined for a login nobody knows, and for an agent's: only persons vote. */
export async function selectVoter(
  sql: Sql,
  issuer: string | undefined,
  subject: string,
): Promise<Voter | undefined> {
  if (issuer === undefined) return undefined;
  const { rows } = await sql.query<{ person_id: string; roles: string[] }>(
    `select i.person_id, coalesce(array_agg(g.role) filter (where g.role is not null), '{}') as roles
       from identities i
       left join grants g on g.shop_id = i.shop_id and g.person_id = i.person_id and g.revoked_at is null
      where i.issuer = $1 and i.subject = $2 and i.person_id is not null
      group by i.person_id`,
    [issuer, subject],
  );
  const [found] = rows;
  return found && { personId: found.person_id, roles: found.roles.filter(isRole) };
}

type Asker = Pick<Caller, 'issuer' | 'subject' | 'actor'>;

/**
 * The requester as a set of persons: the subject (or its owner, when it is an agent), the owner of the agent that
 * acts, and everyone any of them acts for. Empty when the subject is unknown, or an agent has no owner.
 */
export async function selectRequesters(
  sql: Sql,
  { issuer, subject, actor }: Asker,
): Promise<ReadonlySet<PersonId>> {
  const { rows } = await sql.query<{
    subject: string;
    person_id: string | null;
    owner_person_id: string | null;
  }>('select subject, person_id, owner_person_id from identities where issuer = $1 and subject = any($2)', [
    issuer,
    actor === undefined ? [subject] : [subject, actor],
  ]);
  const personOf = (login: string) => {
    const row = rows.find((one) => one.subject === login);
    return row?.person_id ?? row?.owner_person_id ?? undefined;
  };
  const own = [personOf(subject), ...(actor === undefined ? [] : [personOf(actor)])];
  const known = own.filter((personId) => personId !== undefined);
  if (known.length < own.length) return new Set();
  const { rows: delegations } = await sql.query<{ for_person_id: string }>(
    'select for_person_id from delegations where person_id = any($1)',
    [known],
  );
  return new Set([...known, ...delegations.map((row) => row.for_person_id)]);
}

async function ensurePerson(sql: Sql, tenant: string, issuer: string, subject: string): Promise<PersonId> {
  const find = async () => {
    const { rows } = await sql.query<{ person_id: string | null; owner_person_id: string | null }>(
      'select person_id, owner_person_id from identities where issuer = $1 and subject = $2',
      [issuer, subject],
    );
    return rows[0];
  };
  const earlier = await find();
  if (earlier?.person_id) return earlier.person_id;
  if (earlier) throw new Error(`The login ${subject} is an agent's; a person cannot have it too.`);
  // The id names the login it was made for; further logins of the same person are linked to it by hand.
  const personId = `${issuer}|${subject}`;
  await sql.query('insert into persons (shop_id, person_id) values ($1, $2) on conflict do nothing', [
    tenant,
    personId,
  ]);
  await sql.query(
    'insert into identities (shop_id, issuer, subject, person_id) values ($1, $2, $3, $4) on conflict do nothing',
    [tenant, issuer, subject, personId],
  );
  return personId;
}

async function insertGrant(
  sql: Sql,
  tenant: string,
  personId: PersonId,
  role: Role,
  by: string,
): Promise<void> {
  await sql.query(
    'insert into grants (shop_id, person_id, role, granted_by) values ($1, $2, $3, $4) on conflict do nothing',
    [tenant, personId, role, by],
  );
}

async function selectGrants(sql: Sql): Promise<readonly GrantRow[]> {
  const { rows } = await sql.query<{
    person_id: string;
    role: string;
    granted_by: string;
    revoked_at: Date | null;
    subjects: string[];
  }>(
    `select g.person_id, g.role, g.granted_by, g.revoked_at,
            coalesce(array_agg(i.subject order by i.subject) filter (where i.subject is not null), '{}') as subjects
       from grants g left join identities i on i.shop_id = g.shop_id and i.person_id = g.person_id
      group by g.shop_id, g.person_id, g.role, g.granted_by, g.revoked_at
      order by g.person_id, g.role`,
  );
  return rows.map((row) => ({
    personId: row.person_id,
    role: row.role,
    subjects: row.subjects,
    grantedBy: row.granted_by,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }));
}
