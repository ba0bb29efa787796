import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { loadSettings, settingsIn } from '../../platform/config.ts';
import { skip } from '../support/skip.ts';

const SERVICE = z.object({
  image: z.string(),
  ports: z.array(z.unknown()).default([]),
  healthcheck: z.unknown().optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const COMPOSE = z.object({ services: z.record(z.string(), SERVICE) });

/** What `docker-compose` makes of the file; it needs no engine for that. */
function composed(context: Mocha.Context): z.output<typeof COMPOSE> {
  const { status, stdout, stderr, error } = spawnSync('docker-compose', ['config'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  if (error !== undefined) skip(context, 'no docker-compose on the PATH: docker-compose.yml was not read');
  assert.equal(status, 0, stderr);
  return COMPOSE.parse(parse(stdout));
}

describe('docker-compose.yml', () => {
  it('starts gateway, worker, carrier simulator, Temporal with its UI, PostgreSQL, Redis and OpenSearch', function () {
    const { services } = composed(this);
    const wanted = [
      'gateway',
      'worker',
      'carrier-simulator',
      'temporal',
      'temporal-ui',
      'postgres',
      'redis',
      'opensearch',
      'migrate',
    ];
    assert.deepEqual(
      wanted.filter((name) => !(name in services)),
      [],
    );
  });

  it('pins every image to a version', function () {
    const loose = Object.values(composed(this).services).filter(({ image }) => !/:\d+\.\d+/.test(image));
    assert.deepEqual(loose, []);
  });

  it('publishes on loopback only', function () {
    for (const [name, { ports }] of Object.entries(composed(this).services)) {
      for (const port of ports) assert.match(JSON.stringify(port), /127\.0\.0\.1/, name);
    }
  });

  it('knows of every lasting service whether it is well', function () {
    const { services } = composed(this);
    const unwatched = Object.entries(services).filter(([, { healthcheck }]) => healthcheck === undefined);
    assert.deepEqual(unwatched.map(([name]) => name).toSorted(), ['migrate', 'seed']);
  });

  it('lets nothing serve before the schema is up to date', function () {
    const { services } = composed(this);
    for (const name of ['gateway', 'worker', 'carrier-simulator']) {
      assert.equal(services[name]?.depends_on['migrate']?.condition, 'service_completed_successfully');
    }
  });

  it('sets only what the configuration knows, to values it accepts', function () {
    const environment = composed(this).services['gateway']?.environment ?? {};
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, String(value ?? '')]),
    );
    const known = settingsIn(env);
    const filled = Object.keys(env).filter((name) => env[name] !== '');
    assert.deepEqual(
      filled.filter((name) => !(name in known)),
      [],
    );
    assert.equal(loadSettings(env).profile, 'development');
  });
});

describe('.env.example', () => {
  it('names settings that exist, with values that are accepted', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z][A-Z_]+)=(.*)$/gm);
    const env = Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
    assert.ok(Object.keys(env).length > 30);
    // Only together with the other profile, or only where the file exists.
    const elsewhere = [
      'COUNTERSIGN_DEVELOPMENT_ISSUER',
      'COUNTERSIGN_AUTHENTICATION_BYPASS',
      'SEAL_KEY_FILE',
      'PERSONAL_DATA_KEY_FILE',
    ];
    assert.deepEqual(
      elsewhere.filter((name) => !(name in env)),
      [],
    );
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !elsewhere.includes(name)));
    assert.doesNotThrow(() => loadSettings(rest));
    const unknown = Object.keys(env).filter((name) => !(name in settingsIn({ [name]: 'x' })));
    assert.deepEqual(unknown, []);
  });
});

const POD = z.object({
  securityContext: z.object({ runAsNonRoot: z.literal(true) }),
  containers: z.array(
    z.object({
      image: z.string().regex(/:\d+\.\d+/),
      args: z.array(z.string()),
      securityContext: z.object({
        allowPrivilegeEscalation: z.literal(false),
        readOnlyRootFilesystem: z.literal(true),
      }),
    }),
  ),
});
const OBJECT = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  data: z.record(z.string(), z.string()).optional(),
  spec: z.object({ template: z.object({ spec: POD }).optional() }).optional(),
});

describe('the Kubernetes example', () => {
  const objects = readdirSync('deploy/kubernetes').flatMap((file) =>
    parseAllDocuments(readFileSync(`deploy/kubernetes/${file}`, 'utf8')).map((document) =>
      OBJECT.parse(document.toJS()),
    ),
  );

  it('runs gateway, worker and migration, none as root, none on a loose version', () => {
    const commands = objects.flatMap(
      ({ spec }) => spec?.template?.spec.containers.map(({ args }) => args.join(' ')) ?? [],
    );
    assert.deepEqual(commands.toSorted(), [
      'db migrate',
      'gateway',
      'worker --alive-file /tmp/countersign-worker',
    ]);
  });

  it('configures production with values that are accepted', () => {
    const data = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    assert.equal(loadSettings(data).profile, 'production');
    assert.deepEqual(
      Object.keys(data).filter((name) => !(name in settingsIn(data))),
      [],
    );
  });
});
