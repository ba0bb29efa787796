import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive, startTimeOf } from '../../platform/processes.ts';
import { HomeInUse, liveRun, readRun, takeHome, writeRun } from '../../platform/run-file.ts';
import { loadCommandConfig, loadServingConfig, openState, readSecrets } from '../../platform/state.ts';

describe('the state directory', () => {
  let folder: string;
  let home: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-'));
    home = join(folder, 'home');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is entered by its owner only', () => {
    assert.equal(modeOf(openState(home).home), 0o700);
  });

  it('keeps its keys readable by their owner only', () => {
    readSecrets(openState(home));
    assert.equal(modeOf(join(home, 'secrets.json')), 0o600);
  });

  it('makes 32-byte keys once and answers with the same ones ever after', () => {
    const first = readSecrets(openState(home));
    assert.equal(Buffer.from(first.seal_key, 'base64').length, 32);
    assert.deepEqual(readSecrets(openState(home)), first);
  });

  it('gives every installation keys of its own', () => {
    const other = readSecrets(openState(join(folder, 'other')));
    assert.notEqual(readSecrets(openState(home)).signing_key, other.signing_key);
  });

  it('names namespace and queues after itself, eight hex digits, the same at every start', () => {
    const { namespace, queuePrefix } = openState(home);
    assert.match(namespace, /^countersign-[0-9a-f]{8}$/);
    assert.deepEqual([openState(home).namespace, queuePrefix], [namespace, namespace]);
  });

  it('gives a copy of itself another namespace', () => {
    const { namespace } = openState(home);
    cpSync(home, join(folder, 'copy'), { recursive: true });
    assert.notEqual(openState(join(folder, 'copy')).namespace, namespace);
  });

  it('refuses damaged keys instead of making new ones over them', () => {
    const state = openState(home);
    writeFileSync(join(home, 'secrets.json'), '{"seal_key":');
    assert.throws(() => readSecrets(state), /damaged/);
  });

  it('refuses a directory that holds something else', () => {
    writeFileSync(join(folder, 'precious.txt'), 'x');
    assert.throws(() => openState(folder), /holds something else/);
    assert.notEqual(modeOf(folder), 0);
  });

  it('is held by one process at a time, which the refusal names', async () => {
    openState(home);
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      const found = identify(holder.pid ?? 0);
      assert.ok(found);
      writeRun(home, {
        holder: found,
        started: {},
        urls: { mcp: 'http://127.0.0.1:1/mcp' },
        environment: {},
      });
      assert.throws(
        () => takeHome(home),
        (error) =>
          error instanceof HomeInUse &&
          error.message.includes(String(holder.pid)) &&
          error.message.includes('http://127.0.0.1:1/mcp'),
      );
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('is taken over from a process that was killed, with the list of what it had started', async () => {
    openState(home);
    const dead = { pid: process.pid, startedAt: 'another time' };
    const left = { postgres: { ...dead, address: '127.0.0.1:1' } };
    writeRun(home, { holder: dead, started: left, urls: {}, environment: {} });
    assert.equal(liveRun(home), undefined);
    assert.deepEqual(takeHome(home)?.started, left);
    assert.equal(readRun(home)?.holder.pid, process.pid);
  });

  it('is not blocked by a lock whose maker died', () => {
    openState(home);
    writeFileSync(join(home, 'start.lock'), '');
    assert.doesNotThrow(() => takeHome(home));
  });

  it('is not blocked by a half-written run file', () => {
    openState(home);
    writeFileSync(join(home, 'run.json'), '{"holder":{"pid":1');
    assert.equal(readRun(home), undefined);
    assert.doesNotThrow(() => takeHome(home));
  });

  it('lends keys and addresses to commands beside a running stack', () => {
    const state = openState(home);
    lendFrom(state.home);
    const config = loadCommandConfig({ COUNTERSIGN_HOME: home });
    assert.deepEqual(
      [config.profile, config.temporal.namespace, config.database.writeUrl, config.secrets.sealKey.length],
      ['development', state.namespace, 'postgres://lent/x', 32],
    );
  });

  it('lends nothing to a server that was not told to be development', () => {
    lendFrom(openState(home).home);
    assert.throws(() => loadServingConfig({ COUNTERSIGN_HOME: home }), /TEMPORAL_ADDRESS is not set/);
  });

  it('keeps what runs where, database password included, from everybody else', () => {
    const { home: path } = openState(home);
    lendFrom(path);
    assert.equal(modeOf(join(path, 'run.json')), 0o600);
  });
});

describe('a process id', () => {
  it('does not pass for a later process of the same number', () => {
    assert.equal(isAlive({ pid: process.pid, startedAt: 'before' }), false);
  });

  it('is alive while its process is', () => {
    const me = identify(process.pid);
    assert.ok(me && isAlive(me));
  });

  it('has no start time when there is no process', () => {
    assert.equal(startTimeOf(2 ** 22 + 1), undefined);
  });
});

function lendFrom(home: string): void {
  const me = identify(process.pid);
  assert.ok(me);
  const environment = {
    COUNTERSIGN_PROFILE: 'development',
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
    DATABASE_URL: 'postgres://lent/x',
  };
  writeRun(home, { holder: me, started: {}, urls: {}, environment });
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
