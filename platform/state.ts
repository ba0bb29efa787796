import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Config, type Environment, type Settings, loadConfig, loadSettings } from './config.ts';
import { liveRun } from './run-file.ts';

/** What an installation keeps between starts, in one directory that only its owner may enter. */
export type State = {
  /** Real path of the state directory. */
  readonly home: string;
  readonly installationId: string;
  /** Namespace and prefix of the task queues: no two checkouts on one Temporal run each other's tasks. */
  readonly namespace: string;
  readonly queuePrefix: string;
};

const SECRETS = z.object({
  seal_key: z.string(),
  personal_data_key: z.string(),
  /** Private key of the development issuer, JWK as text. */
  signing_key: z.string(),
  postgres_password: z.string(),
});
export type Secrets = z.output<typeof SECRETS>;

const INSTALLATION = z.object({ id: z.string().min(1) });

/** What a worker or `countersign model pull` puts there, also where nothing was ever started. */
const KEPT_BESIDE: ReadonlySet<string> = new Set(['models', 'policy-history', 'policy-index']);

/** Opens the state directory, making it (0700) and what belongs in it when missing. Repeats change nothing. */
export function openState(home: string): State {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const path = realpathSync(home);
  const contents = readdirSync(path);
  const foreign = contents.filter((name) => !KEPT_BESIDE.has(name));
  if (foreign.length > 0 && !contents.some((name) => name.startsWith('installation.json'))) {
    throw new Error(`${path} holds something else; COUNTERSIGN_HOME must be a new or an empty directory`);
  }
  chmodSync(path, 0o700);
  const { id } = createOnce(join(path, 'installation.json'), INSTALLATION, () => ({ id: randomUUID() }));
  const name = `countersign-${createHash('sha256').update(`${path}\n${id}`).digest('hex').slice(0, 8)}`;
  return { home: path, installationId: id, namespace: name, queuePrefix: name };
}

/** The keys of this installation: made at the first call, the same ever after. Readable by the owner only. */
export function readSecrets(state: State): Secrets {
  return createOnce(join(state.home, 'secrets.json'), SECRETS, () => ({
    seal_key: randomBytes(32).toString('base64'),
    personal_data_key: randomBytes(32).toString('base64'),
    signing_key: newSigningKey(),
    postgres_password: randomBytes(24).toString('base64url'),
  }));
}

function newSigningKey(): string {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(String(jwk.x)).digest('base64url').slice(0, 16);
  return JSON.stringify({ ...jwk, alg: 'EdDSA', use: 'sig', kid });
}

/** The development profile's answers to what production must be told: keys, namespace, queues. */
export function stateEnvironment(state: State): Environment {
  const secrets = readSecrets(state);
  return {
    COUNTERSIGN_HOME: state.home,
    TEMPORAL_NAMESPACE: state.namespace,
    COUNTERSIGN_QUEUE_PREFIX: state.queuePrefix,
    SEAL_KEY: secrets.seal_key,
    PERSONAL_DATA_KEY: secrets.personal_data_key,
    COUNTERSIGN_SIGNING_KEY: secrets.signing_key,
  };
}

/**
 * The configuration of `countersign gateway` and `countersign worker`. The profile is what the environment says
 * and nothing else. In development the home lends keys, namespace and queues, and a stack that runs on it lends
 * its addresses; in production everything is given, or the process does not start.
 *
 * @throws {ConfigError} as `loadConfig`
 */
export function loadServingConfig(env: Environment): Config {
  return loadConfig(...lent(env, undefined));
}

/**
 * The configuration of a command in a second terminal. While a stack runs on this home, what it found and
 * started, its profile too, fills in whatever the environment leaves open.
 *
 * @throws {ConfigError} as `loadConfig`
 */
export function loadCommandConfig(env: Environment): Config {
  return loadConfig(...lent(env, profileOfStack(env)));
}

/** As `loadCommandConfig`, for commands that do without Temporal or Postgres. */
export function loadCommandSettings(env: Environment): Settings {
  return loadSettings(...lent(env, profileOfStack(env)));
}

function profileOfStack(env: Environment): string | undefined {
  return stackBeside(env)['COUNTERSIGN_PROFILE'];
}

function stackBeside(env: Environment): Environment {
  return liveRun(resolve(filled(env)['COUNTERSIGN_HOME'] ?? '.countersign'))?.environment ?? {};
}

/** Two layers for `loadConfig`: what is lent, and over it what the environment itself says. */
function lent(env: Environment, profileOtherwise: string | undefined): [Environment, Environment] {
  const own = filled(env);
  const profile = own['COUNTERSIGN_PROFILE'] ?? profileOtherwise;
  if (profile !== 'development') return [own, {}];
  const { home } = loadSettings(own, { COUNTERSIGN_PROFILE: profile });
  return [{ ...stackBeside(env), ...stateEnvironment(openState(home)), COUNTERSIGN_PROFILE: profile }, own];
}

function filled(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}

/** Writes a file that must exist completely or not at all, and keeps the one that came first. */
function createOnce<T>(path: string, schema: z.ZodType<T>, make: () => T): T {
  const earlier = readJson(path, schema);
  if (earlier !== undefined) return earlier;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify(make(), null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    // Somebody was faster; theirs counts.
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(draft);
  }
  const made = readJson(path, schema);
  if (made === undefined) throw new Error(`${path} vanished while it was made`);
  return made;
}

function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new Error(`${path} is damaged: restore it, or start afresh with \`npm run reset\``);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
