import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { DatabaseError } from 'pg';
import { createLog, rotatingFile } from '../../platform/log.ts';

describe('the log', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const logged = async (what: (log: ReturnType<typeof createLog>) => void) => {
    const file = join(folder, 'x.log');
    const log = createLog({ level: 'info', file });
    what(log);
    await new Promise<void>((resolve) => log.flush(() => resolve()));
    while (!existsSync(file) || statSync(file).size === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return readFileSync(file, 'utf8');
  };

  it('hides tokens and passwords wherever they hang', async () => {
    const text = await logged((log) =>
      log.info(
        { token: 's3cret', req: { headers: { authorization: 's3cret' } }, db: { password: 's3cret' } },
        'hello',
      ),
    );
    assert.match(text, /hello/);
    assert.doesNotMatch(text, /s3cret/);
  });

  it('tells what failed in a database without the rows and values in it', async () => {
    const error = new DatabaseError('duplicate key value violates unique constraint "x"', 1, 'error');
    Object.assign(error, {
      code: '23505',
      detail: 'Key (email)=(ann@example.com) exists',
      parameters: ['ann@example.com'],
    });
    const text = await logged((log) => log.error({ err: error }, 'failed'));
    assert.match(text, /23505/);
    assert.doesNotMatch(text, /ann@example\.com/);
  });

  it('takes bearer tokens and passwords in addresses out of messages', async () => {
    const text = await logged((log) =>
      log.error(
        { err: new Error('GET failed with Bearer abc.def at postgres://app:hunter2@db/x') },
        'failed',
      ),
    );
    assert.doesNotMatch(text, /abc\.def|hunter2/);
  });

  it('keeps a bounded number of files of a bounded size', async () => {
    const file = join(folder, 'y.log');
    const out = rotatingFile(file, 100, 2);
    for (let line = 0; line < 20; line += 1) out.write(`${String(line).padStart(49, '0')}\n`);
    out.end();
    await finished(out);
    assert.deepEqual(
      ['', '.1', '.2', '.3'].map((age) => existsSync(file + age)),
      [true, true, true, false],
    );
    assert.ok(statSync(file).size <= 100);
    assert.match(readFileSync(file, 'utf8'), /19\n$/);
  });
});
