import { InvalidArgumentError, type Command } from 'commander';
import { createGrants } from '../../adapters/postgres/grants.ts';
import { openPools } from '../../adapters/postgres/pools.ts';
import { type Minted, type TokenFor, mintToken } from '../../mcp-gateway/mint-token.ts';
import { DEVELOPMENT_ISSUER, type Settings } from '../../platform/config.ts';
import { loadCommandSettings } from '../../platform/state.ts';

type Options = {
  readonly as: string;
  readonly shop: string;
  readonly sub?: string;
  readonly ttl: number;
  readonly json?: true;
};

export function register(program: Command): void {
  program
    .command('token')
    .description(
      'Mint a token of the built-in issuer. Development only; the last line printed is the bare token.',
    )
    .requiredOption('--as <who>', 'a role, customer:<id>, agent:<role> or agent:customer:<id>')
    .option('--shop <id>', 'the shop it is for', 'manga')
    .option('--sub <login>', 'the login; default: the name of the role, or the customer’s id')
    .option('--ttl <time>', 'how long it is good for, such as 900, 15m, 12h', duration, 12 * 60 * 60)
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      '\nA person’s token is good for /mcp and for the HTTP API; an agent’s only for /mcp, and it decides nothing.\n' +
        'Roles: supply_chain_manager, warehouse_lead, returns_specialist, finance, analyst, prototype, admin.',
    )
    .action(print);
}

async function print({ as, shop, sub, ttl, json }: Options): Promise<void> {
  const settings = developmentSettings();
  const wanted: TokenFor = { as, shop, ttlSeconds: ttl, ...(sub === undefined ? {} : { subject: sub }) };
  const minted = await mintToken(wanted, {
    issuer: DEVELOPMENT_ISSUER,
    signingKey: settings.identity.signingKey ?? '',
    audiences: settings.identity.audiences,
  });
  await makeKnown(settings, shop, minted);
  const { token, subject, roles, actor } = minted;
  const facts = { token, subject, shop, roles, ...(actor === undefined ? {} : { actor }), expires_in: ttl };
  process.stdout.write(`${json === true ? JSON.stringify(facts) : token}\n`);
}

function developmentSettings(): Settings {
  const settings = loadCommandSettings({ ...process.env, COUNTERSIGN_PROFILE: profile() });
  if (settings.identity.development && settings.identity.signingKey !== undefined) return settings;
  throw new Error(
    'The built-in issuer exists in the development profile only. In production your identity provider makes tokens.',
  );
}

/** A checkout is a development installation unless its environment says otherwise. */
function profile(): string {
  const given = process.env['COUNTERSIGN_PROFILE'];
  return given === undefined || given === '' ? 'development' : given;
}

/** So that the login can be asked about the moment it first votes or asks. Never brings back what was revoked. */
async function makeKnown(
  { database }: Settings,
  shop: string,
  { subject, roles, actor }: Minted,
): Promise<void> {
  if (database.writeUrl === undefined) return warn('no database is configured or running');
  try {
    const pools = await openPools({ writeUrl: database.writeUrl, superuserLogin: 'allowed', waitMs: 2000 });
    try {
      const grants = createGrants(pools);
      await grants.ensure(shop, DEVELOPMENT_ISSUER, subject, roles);
      if (actor !== undefined) await grants.ensureAgent(shop, DEVELOPMENT_ISSUER, actor, subject);
    } finally {
      await pools.close();
    }
  } catch (error) {
    warn(error instanceof Error ? error.message : 'the database refused');
  }
}

function warn(why: string): void {
  process.stderr.write(
    `The token is good, but this login could not be written to the database (${why}). ` +
      'It cannot ask for actions or decide on them until it is: run this again while the stack is up.\n',
  );
}

function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,8})([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNITS[unit === '' ? 's' : unit] ?? Number.NaN);
  if (!(seconds >= 1)) throw new InvalidArgumentError('Allowed: whole seconds, or 15m, 12h, 7d.');
  return seconds;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
