import { type Command, Option } from 'commander';
import { createGrants, type GrantOffice, type GrantRow } from '../../adapters/postgres/grants.ts';
import type { Grants } from '../../domain/action.ts';
import { isRole, ROLES, type Role } from '../../domain/roles.ts';
import { DEVELOPMENT_ISSUER, type Settings } from '../../platform/config.ts';
import { withDatabase } from '../database.ts';
import { operator } from '../operator.ts';

type Options = {
  readonly shop: string;
  readonly issuer?: string;
  readonly role: string;
  readonly owner: string;
  readonly json?: true;
};

type Office = Grants & GrantOffice;

export function register(program: Command): void {
  const grant = program
    .command('grant')
    .description('Who may do what. Read at the moment somebody asks or votes, so a change counts at once.');
  const add = (name: string, description: string) =>
    grant
      .command(name)
      .description(description)
      .option('--shop <id>', 'the shop', 'manga')
      .option('--issuer <iss>', 'who vouches for the login; default: the configured issuer');
  const role = () => new Option('--role <role>', 'the role').choices(ROLES).makeOptionMandatory();

  add('list', 'print every grant, revoked ones too').option('--json', 'print as JSON').action(list);
  add('add <login>', 'give a person a role').addOption(role()).action(give);
  add('revoke <login>', 'take a role from a person').addOption(role()).action(revoke);
  add('agent <login>', 'make an agent known, with the person who answers for it')
    .requiredOption('--owner <login>', 'login of that person')
    .action(ownAgent);
}

async function list({ shop, json }: Options): Promise<void> {
  await withOffice(async (office) => {
    const rows = await office.list(shop);
    process.stdout.write(json === true ? `${JSON.stringify(rows)}\n` : rows.map(line).join(''));
  });
}

async function give(login: string, { shop, issuer, role }: Options): Promise<void> {
  await withOffice(async (office, settings) => {
    await office.grant(shop, issuerOf(settings, issuer), login, known(role), operator());
    process.stdout.write(`${login} is ${role} of ${shop}.\n`);
  });
}

async function revoke(login: string, { shop, issuer, role }: Options): Promise<void> {
  await withOffice(async (office, settings) => {
    const held = await office.revoke(shop, issuerOf(settings, issuer), login, known(role));
    process.stdout.write(
      held ? `${login} is no longer ${role} of ${shop}.\n` : `${login} was not ${role} of ${shop}.\n`,
    );
  });
}

async function ownAgent(login: string, { shop, issuer, owner }: Options): Promise<void> {
  await withOffice(async (office, settings) => {
    await office.ensureAgent(shop, issuerOf(settings, issuer), login, owner);
    process.stdout.write(`${owner} answers for the agent ${login} in ${shop}.\n`);
  });
}

async function withOffice(work: (office: Office, settings: Settings) => Promise<void>): Promise<void> {
  return withDatabase('grant', (pools, settings) => work(createGrants(pools), settings));
}

function issuerOf({ identity }: Settings, given: string | undefined): string {
  const issuer = given ?? identity.issuer ?? (identity.development ? DEVELOPMENT_ISSUER : undefined);
  if (issuer === undefined)
    throw new Error('Whose login is it? Name the issuer: --issuer, or set OIDC_ISSUER.');
  return issuer;
}

/** The option allows nothing else; this tells the compiler. */
function known(role: string): Role {
  if (!isRole(role)) throw new Error(`There is no role ${role}.`);
  return role;
}

function line({ subjects, personId, role, grantedBy, revokedAt }: GrantRow): string {
  const who = subjects.length === 0 ? personId : subjects.join(', ');
  return `${who}  ${role}  by ${grantedBy}${revokedAt === null ? '' : `  revoked ${revokedAt}`}\n`;
}
