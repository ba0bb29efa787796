import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  DEVELOPMENT_ISSUER,
  type Environment,
  loadConfig,
  loadSettings,
} from '../../platform/config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

const PRODUCTION = {
  COUNTERSIGN_PROFILE: 'production',
  TEMPORAL_ADDRESS: 'temporal.example.com:7233',
  DATABASE_URL: 'postgres://app:hunter2@db.example.com/countersign',
  OIDC_ISSUER: 'https://identity.example.com',
  OIDC_JWKS_URL: 'https://identity.example.com/keys',
  SEAL_KEY: KEY,
  PERSONAL_DATA_KEY: KEY,
} as const;

describe('the configuration', () => {
  it('is production with loopback, port 3000 and a read pool of 50 when nothing is said', () => {
    const { profile, host, ports, database } = loadSettings({});
    assert.deepEqual(
      { profile, host, port: ports.gateway, pool: database.readPoolSize },
      { profile: 'production', host: '127.0.0.1', port: 3000, pool: 50 },
    );
  });

  it('reads, works with the system and migrates at DATABASE_URL unless told otherwise', () => {
    const { database } = loadConfig(PRODUCTION);
    assert.deepEqual(
      [database.readUrl, database.systemUrl, database.migrationUrl],
      [PRODUCTION.DATABASE_URL, PRODUCTION.DATABASE_URL, PRODUCTION.DATABASE_URL],
    );
  });

  it('names everything that production misses, in one error', () => {
    const message = problemWith(() => loadConfig({}));
    for (const name of ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'OIDC_ISSUER', 'SEAL_KEY', 'PERSONAL_DATA_KEY']) {
      assert.match(message, new RegExp(`${name}.*allowed:`));
    }
  });

  it('treats a variable that is set to nothing as not set', () => {
    assert.equal(loadSettings({ PORT: '', LOG_LEVEL: '' }).ports.gateway, 3000);
  });

  it('lets overrides win', () => {
    assert.equal(loadSettings({ PORT: '4000' }, { PORT: '5000' }).ports.gateway, 5000);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['COUNTERSIGN_PROFILE', 'staging'],
    ['COUNTERSIGN_HOST', 'shop.example.com; rm -rf'],
    ['COUNTERSIGN_QUEUE_PREFIX', 'a b'],
    ['PORT', '70000'],
    ['PORT', '3000; drop'],
    ['PORT', '-1'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233'],
    ['TEMPORAL_NAMESPACE', '../other'],
    ['TEMPORAL_TLS', 'yes please'],
    ['DATABASE_URL', 'mysql://app:hunter2@db/x'],
    ['DATABASE_READ_POOL_SIZE', '0'],
    ['DATABASE_READ_POOL_SIZE', '1e3'],
    ['REDIS_URL', 'localhost:6379'],
    ['INVALIDATION_REDIS_URL', 'http://localhost:6379'],
    ['OPENSEARCH_URL', 'ftp://x'],
    ['OIDC_JWKS_URL', 'file:///etc/passwd'],
    ['ALLOWED_HOSTS', 'a.example, b/c'],
    ['ALLOWED_ORIGINS', 'https://a.example/path'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,300.1.1.1'],
    ['TRUSTED_PROXIES', '10.0.0.0/99'],
    ['LOG_LEVEL', 'loud'],
    ['SESSION_IDLE_SECONDS', '0'],
    ['APP_NOW', 'yesterday'],
    ['SEAL_KEY', 'c2hvcnQ='],
    ['COUNTERSIGN_AUTHENTICATION_BYPASS', 'analyst@../manga'],
  ];
  for (const [name, value] of wrong) {
    it(`refuses ${name}=${value} and says what is allowed`, () => {
      assert.match(
        problemWith(() => loadSettings({ [name]: value })),
        new RegExp(`- ${name}: .*allowed: `),
      );
    });
  }

  it('repeats no value in an error: it may hold a password', () => {
    const message = problemWith(() =>
      loadSettings({ DATABASE_URL: 'mysql://app:hunter2@db/x', SEAL_KEY: 'hunter2' }),
    );
    assert.doesNotMatch(message, /hunter2/);
  });

  it('refuses a misspelt setting of ours', () => {
    assert.match(
      problemWith(() => loadSettings({ COUNTERSIGN_PROFIL: 'development' })),
      /COUNTERSIGN_PROFIL is not a setting/,
    );
  });

  it('leaves the variables of other programs alone', () => {
    assert.doesNotThrow(() => loadSettings({ PGPORT: 'x', EDITOR: 'vi', HOST: 'my machine' }));
  });

  const forbidden: readonly (readonly [string, Environment])[] = [
    ['the development issuer', { COUNTERSIGN_DEVELOPMENT_ISSUER: 'true' }],
    ["the development issuer's name", { OIDC_ISSUER: DEVELOPMENT_ISSUER }],
    ['a signing key', { COUNTERSIGN_SIGNING_KEY: '{}' }],
    ['an authentication bypass', { COUNTERSIGN_AUTHENTICATION_BYPASS: 'analyst' }],
    ['a shortened approval period', { COUNTERSIGN_APPROVAL_SECONDS: '5' }],
  ];
  for (const [what, env] of forbidden) {
    it(`lets production start without ${what} only`, () => {
      assert.doesNotThrow(() => loadConfig(PRODUCTION));
      assert.throws(() => loadConfig({ ...PRODUCTION, ...env }), ConfigError);
    });
  }

  it('believes the built-in issuer in development only', () => {
    assert.equal(loadSettings({ COUNTERSIGN_PROFILE: 'development' }).identity.development, true);
    assert.equal(loadSettings(PRODUCTION).identity.development, false);
  });

  it('keeps development on loopback, but for a container that publishes there', () => {
    const open = { COUNTERSIGN_PROFILE: 'development', COUNTERSIGN_HOST: '0.0.0.0' };
    assert.match(
      problemWith(() => loadSettings(open)),
      /loopback/,
    );
    assert.doesNotThrow(() => loadSettings({ ...open, COUNTERSIGN_CONTAINER: 'true' }));
  });

  describe('with the authentication bypassed', () => {
    const open = { COUNTERSIGN_PROFILE: 'development', COUNTERSIGN_AUTHENTICATION_BYPASS: 'analyst' };

    it('is development on loopback, for one role of one shop', () => {
      assert.deepEqual(loadSettings(open).identity.bypass, { role: 'analyst', shop: 'manga' });
      const elsewhere = { ...open, COUNTERSIGN_AUTHENTICATION_BYPASS: 'finance@shop_123' };
      assert.deepEqual(loadSettings(elsewhere).identity.bypass, { role: 'finance', shop: 'shop_123' });
      assert.equal(loadSettings({ COUNTERSIGN_PROFILE: 'development' }).identity.bypass, undefined);
    });

    const refused: readonly (readonly [string, Environment])[] = [
      ['a network', { COUNTERSIGN_HOST: '0.0.0.0', COUNTERSIGN_CONTAINER: 'true' }],
      ['one address of a network', { COUNTERSIGN_HOST: '10.0.0.7', COUNTERSIGN_CONTAINER: 'true' }],
      ['a proxy', { TRUSTED_PROXIES: '127.0.0.1' }],
      ['the development issuer turned off', { COUNTERSIGN_DEVELOPMENT_ISSUER: 'false' }],
      ['production', { COUNTERSIGN_PROFILE: 'production' }],
    ];
    for (const [what, env] of refused) {
      it(`refuses ${what}`, () => {
        assert.match(
          problemWith(() => loadSettings({ ...open, ...env })),
          /COUNTERSIGN_AUTHENTICATION_BYPASS.*allowed:/,
        );
      });
    }
  });

  it('sends a Temporal API key over TLS without being told', () => {
    assert.notEqual(loadSettings({ TEMPORAL_API_KEY: 'k' }).temporal.tls, undefined);
  });

  it('moves business time to APP_NOW', () => {
    const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString();
    const { clockOffsetMs } = loadSettings({ APP_NOW: inTenDays });
    assert.ok(Math.abs(clockOffsetMs - 10 * 86_400_000) < 5000);
  });

  it('reads keys from files, and says so when a file holds something else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-'));
    try {
      const [good, bad] = [join(folder, 'good'), join(folder, 'bad')];
      writeFileSync(good, `${KEY}\n`);
      writeFileSync(bad, 'hello');
      const { SEAL_KEY: _gone, ...rest } = PRODUCTION;
      assert.deepEqual(loadConfig({ ...rest, SEAL_KEY_FILE: good }).secrets.sealKey, Buffer.alloc(32, 7));
      assert.match(
        problemWith(() => loadConfig({ ...rest, SEAL_KEY_FILE: bad })),
        /SEAL_KEY_FILE/,
      );
      assert.match(
        problemWith(() => loadConfig({ ...rest, SEAL_KEY_FILE: join(folder, 'none') })),
        /SEAL_KEY_FILE/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function problemWith(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail('it was accepted');
}
