import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { emptyDatabase } from '../support/database.ts';

const run = promisify(execFile);

describe('countersign db', () => {
  let db: { readonly url: string; drop(): Promise<void> };
  let home: string;
  before(async () => {
    db = await emptyDatabase();
    home = await mkdtemp(join(tmpdir(), 'countersign-db-command-'));
  });
  after(async () => {
    await db.drop();
    await rm(home, { recursive: true });
  });

  async function command(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { stdout } = await run(process.execPath, ['cli/countersign.mjs', 'db', ...args], {
      env: {
        PATH: process.env['PATH'],
        COUNTERSIGN_PROFILE: 'development',
        COUNTERSIGN_HOME: join(home, 'state'),
        DATABASE_URL: db.url,
        APP_NOW: '2024-01-22T10:30:00Z',
        ...env,
      },
    });
    return stdout;
  }
  const json = async (...args: string[]): Promise<unknown> => JSON.parse(await command([...args, '--json']));

  it('goes from an empty server to checked data, to a backup, to nothing and back', async () => {
    assert.match(await command(['migrate']), /applied 0001_roles_and_shops\n/);
    assert.deepEqual(await json('migrate'), { applied: [] });
    assert.deepEqual(await json('seed'), { anchor: '2024-01-22', shops: ['manga', 'shop_123', 'shop_456'] });
    assert.deepEqual(await json('seed'), { anchor: '2024-01-22', shops: [] });
    assert.match(await command(['check']), /nothing broken/);
    assert.match(await command(['backup', join(home, 'backup')]), /Wrote \d+ rows/);
    assert.match(await command(['clean']), /schema and the audit record stay/);
    assert.match(await command(['restore', join(home, 'backup')]), /Restored \d+ rows/);
    assert.match(await command(['check']), /nothing broken/);
  });

  it('does not empty a production database without --yes', async () => {
    await assert.rejects(command(['clean'], { COUNTERSIGN_PROFILE: 'production' }), /Say --yes/);
  });

  it('says what to set when there is no database', async () => {
    await assert.rejects(command(['check'], { DATABASE_URL: '' }), /set DATABASE_URL/);
  });

  it('fails without a database that answers', async () => {
    await assert.rejects(command(['check'], { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' }), /ECONNREFUSED/);
  });
});
