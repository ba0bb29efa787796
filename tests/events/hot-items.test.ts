import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { counted, hottest, NOTHING_COUNTED } from '../../domain/hot-items.ts';
import { until } from '../support/until.ts';
import { type Events, openEvents, outgoing } from './room.ts';

const run = promisify(execFile);

/** Class of defect: a stream that nobody can read, resume or count. */
describe('countersign events', function () {
  this.timeout(60_000);
  let events: Events;
  let home: string;
  before(async () => {
    events = await openEvents();
    home = mkdtempSync(join(tmpdir(), 'countersign-home-'));
    await events.dispatch();
  });
  after(async () => {
    await events.close();
    rmSync(home, { recursive: true });
  });

  const lines = async (...args: readonly string[]) => {
    const env = {
      PATH: process.env['PATH'],
      COUNTERSIGN_PROFILE: 'development',
      COUNTERSIGN_HOME: home,
      DATABASE_URL: events.writeUrl,
    };
    const { stdout } = await run(process.execPath, ['cli/countersign.mjs', 'events', ...args, '--json'], {
      env,
    });
    // What the command prints is what is looked at.
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  const asks = (from: number, titles: readonly string[], quantity: number | null = 3) =>
    titles.map((manga_id, i) =>
      outgoing(`ask${from + i}`, {
        topic: 'stock_check_event',
        key: manga_id,
        payload: {
          manga_id,
          volume_number: 1,
          quantity,
          warehouse: null,
          at: '2026-01-02T03:04:05.678Z',
          request_id: `check_stock-${from + i}`,
          subject_hash: 'a'.repeat(32),
        },
      }),
    );
  const published = (n: number) =>
    until(async () => (await events.all()).length === n, 'all to be published');

  it('counts what was asked for, resumes, and counts nothing twice', async () => {
    await events.publish(asks(0, ['BER42', 'BER42', 'OP1']));
    await events.publish(asks(10, ['NOBODY'], null));
    await events.publish(asks(20, ['ELSE'], 1), 'other');
    await published(5);
    const first = [
      { manga_id: 'BER42', times: 2 },
      { manga_id: 'OP1', times: 1 },
    ];
    assert.deepEqual(await lines('hot-items'), first);
    assert.deepEqual(await lines('hot-items'), first);
    await events.publish(asks(30, ['OP1', 'OP1']));
    await published(7);
    assert.deepEqual(await lines('hot-items'), [
      { manga_id: 'OP1', times: 3 },
      { manga_id: 'BER42', times: 2 },
    ]);
    assert.deepEqual(await lines('hot-items', '--shop', 'other'), [{ manga_id: 'ELSE', times: 1 }]);
  });

  it('shows events of a topic from a position on', async () => {
    await events.publish([outgoing('money')]);
    await published(8);
    const [event, ...more] = await lines('tail', '--topic', 'refund_due', '--after', '7');
    assert.deepEqual([event?.['event_id'], event?.['position'], more], ['money', 8, []]);
  });

  it('shows the last ones unless told from where', async () => {
    assert.deepEqual(
      (await lines('tail', '--limit', '2')).map(({ position }) => position),
      [7, 8],
    );
  });

  it('says what to do about counts that somebody spoilt', async () => {
    writeFileSync(join(home, 'hot-items.json'), '{"position":-1}');
    await assert.rejects(lines('hot-items'), /remove it, and counting starts again/);
  });

  it('counts a position once, though its page came again', () => {
    const asked = [{ tenant: 'a', mangaId: 'X' }];
    const once = counted(NOTHING_COUNTED, asked, 1);
    assert.deepEqual(counted(once, asked, 1), once);
    assert.deepEqual(hottest(once, 'a', 5), [{ mangaId: 'X', times: 1 }]);
  });

  it('counts titles that are called like parts of an object', () => {
    const odd = ['__proto__', 'constructor'].map((mangaId) => ({ tenant: 'a', mangaId }));
    assert.equal(hottest(counted(NOTHING_COUNTED, odd, 1), 'a', 5).length, 2);
  });
});
