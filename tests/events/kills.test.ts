import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PublishedEvent } from '../../domain/events.ts';
import { asAdmin } from '../support/database.ts';
import { until } from '../support/until.ts';
import { type Events, openEvents, outgoing } from './room.ts';

const SCRIPT = fileURLToPath(new URL('./mortal-dispatcher.ts', import.meta.url));

/** Wherever the process dies: no event lost, no position twice, none skipped, each key in order. */
describe('when the dispatcher is killed', function () {
  this.timeout(60_000);
  let events: Events;
  let folder: string;
  let stream: string;
  const children = new Set<ChildProcess>();
  beforeEach(async () => {
    events = await openEvents();
    folder = mkdtempSync(join(tmpdir(), 'countersign-events-'));
    stream = join(folder, 'stream');
    writeFileSync(stream, '');
  });
  afterEach(async () => {
    await Promise.all([...children].map(dead));
    await events.close();
    rmSync(folder, { recursive: true });
  });

  function start(die = ''): ChildProcess {
    const child = fork(SCRIPT, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, DIE: die, DATABASE: events.writeUrl, STREAM: stream },
    });
    children.add(child);
    return child;
  }

  async function dead(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    children.delete(child);
  }

  async function killedItself(child: ChildProcess): Promise<void> {
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    children.delete(child);
  }

  const many = (n: number, from = 0) =>
    Array.from({ length: n }, (_, i) => outgoing(`e${from + i}`, { key: `o_${(from + i) % 5}` }));

  /** The lines of the file; the last one may have been cut off by a death. */
  const streamed = () =>
    readFileSync(stream, 'utf8')
      .split('\n')
      .slice(0, -1)
      // The file holds what the child wrote.
      .map((line) => JSON.parse(line) as PublishedEvent);

  async function assertAllThere(n: number): Promise<void> {
    await until(async () => (await events.log.cursor('sink:file')) === n, 'all to be published');
    assert.deepEqual(
      (await events.all()).map(({ position }) => position),
      Array.from({ length: n }, (_, i) => i + 1),
    );
    const first = new Map(
      streamed()
        .toReversed()
        .map((event) => [event.eventId, event]),
    );
    assert.equal(first.size, n);
    const seen = new Set<string>();
    const inOrder = streamed().filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId));
    assert.deepEqual(
      inOrder.map(({ position }) => position),
      Array.from({ length: n }, (_, i) => i + 1),
    );
  }

  for (const point of ['before it publishes', 'while it publishes', 'before its cursor moves']) {
    it(`${point}, its successor publishes the rest`, async () => {
      await events.publish(many(90));
      await killedItself(start(point));
      await events.publish(many(30, 90));
      start();
      await assertAllThere(120);
    });
  }

  it('between the commit and the drain, its successor publishes what it committed', async () => {
    await killedItself(start('before it drains'));
    start();
    await assertAllThere(1);
    assert.deepEqual(
      streamed().map(({ eventId }) => eventId),
      ['of the dead'],
    );
  });

  it('in the middle of a drain, its successor drains all of it', async () => {
    await events.publish(many(40));
    await asAdmin(async (admin) => {
      await admin.query('begin; select from event_head for update');
      const child = start();
      const waits = `select from pg_stat_activity where wait_event_type = 'Lock'
                        and application_name like 'countersign mortal%' and datname = current_database()`;
      await asAdmin(
        (other) => until(async () => (await other.query(waits)).rowCount === 1, 'the drain'),
        events.adminUrl,
      );
      await dead(child);
      await admin.query('rollback');
    }, events.adminUrl);
    start();
    await assertAllThere(40);
  });

  it('again and again while events are written, nothing is lost or doubled', async () => {
    let isWriting = true;
    let written = 0;
    const writing = (async () => {
      while (isWriting) {
        await events.publish(many(10, written));
        written += 10;
        // Slower than what publishes, so that it is there to be killed at all times.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    for (let i = 0; i < 5; i += 1) {
      const before = streamed().length;
      const child = start();
      await until(async () => streamed().length > before + 5, 'some to be published');
      await dead(child);
    }
    isWriting = false;
    await writing;
    start();
    await assertAllThere(written);
  });
});
