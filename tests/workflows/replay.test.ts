import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { z } from 'zod';
import { PAYLOAD_CONVERTER_PATH, workflowBundle, WORKFLOWS_PATH } from '../../workers/bundle.ts';
import { temporalLogger } from '../../workers/runtime.ts';
import { freshNamespace } from '../support/temporal.ts';
import { silent } from './stage.ts';

const HISTORIES = fileURLToPath(new URL('../histories/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
const files = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json')).sort();
const STORED = z.object({ history: z.base64() });
const quiet = new DefaultLogger('ERROR', () => undefined);

async function historyIn(name: string) {
  const { history } = STORED.parse(JSON.parse(await readFile(join(HISTORIES, name), 'utf8')));
  return proto.temporal.api.history.v1.History.decode(Buffer.from(history, 'base64'));
}

describe('stored histories', function () {
  this.timeout(120_000);
  let bundle: string;
  before(async () => {
    // Installs the quiet runtime, once per process.
    await (await freshNamespace()).close();
    bundle = (await workflowBundle(temporalLogger(silent))).code;
  });

  const replay = async (code: string, name: string) =>
    Worker.runReplayHistory(
      { workflowBundle: { code }, dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH } },
      await historyIn(name),
      'replayed',
    );

  it('cover the ways a run can go', () => {
    for (const way of [
      'run-read.ok',
      'run-action.executed',
      'run-action.expired',
      'run-action.waiting',
      'order-lifecycle.delivered',
      'order-lifecycle.unpaid',
      'order-lifecycle.waiting',
      'settle-payment.refunded',
      'settle-payment.waiting',
      'promotion-timer.ended',
      'promotion-timer.changed',
      'promotion-timer.waiting',
      'policy-ingest.published',
      'policy-ingest.failed',
      'policy-keeper.waiting',
    ])
      assert.ok(
        files.some((name) => name.startsWith(`${way}.`)),
        way,
      );
  });

  for (const name of files) {
    it(`replay: ${name}`, () => replay(bundle, name));
  }

  const PLANTED = [
    {
      change: 'nobody looks at the plan before people are asked',
      where: /await openAction\(\{\s*plan,\s*run\s*\}\)/,
      by: `{ ok: true, state: 'approved', ballots: 0 }`,
      way: 'run-action.executed',
    },
    {
      change: 'no pause between two looks at a charge',
      where: /await [^;]{0,80}sleep\)?\(waitMs\)/,
      by: 'await undefined',
      way: 'settle-payment.refunded',
    },
    {
      change: 'a promotion is announced as over without being looked at',
      where: /await announce_promotion\(of\)/,
      by: '{ nextInMs: null }',
      way: 'promotion-timer.ended',
    },
  ];
  for (const { change, where, by, way } of PLANTED) {
    it(`catch a planted change: ${change}`, async () => {
      assert.match(bundle, where, 'the bundle no longer holds what this test plants its change in');
      const planted = bundle.replace(where, by);
      const name = files.find((file) => file.startsWith(`${way}.`)) ?? '';
      await assert.rejects(
        replay(planted, name),
        (error) => error instanceof Error && error.name === 'DeterminismViolationError',
      );
    });
  }
});

describe('the workflow bundle', function () {
  this.timeout(120_000);

  it('holds our workflows, the domain and Temporal, and nothing else', async () => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: WORKFLOWS_PATH,
      payloadConverterPath: PAYLOAD_CONVERTER_PATH,
      logger: quiet,
    });
    const modules = [...code.matchAll(/!\*\*\* (\S+) \*\*\*!/g)].map(([, path]) => String(path));
    const allowed =
      /^\.\/(workflows|domain)\/|node_modules\/(@temporalio\/(common|workflow)|nexus-rpc|ms|long)\//;
    assert.ok(modules.length > 20, 'no module was found');
    assert.deepEqual(
      modules.filter((path) => !allowed.test(path)),
      [],
    );
  });

  it('is made once and kept', async () => {
    await mkdir(CACHE, { recursive: true });
    const folder = await mkdtemp(join(CACHE, 'bundles-'));
    try {
      await workflowBundle(quiet, folder);
      const [kept = ''] = await readdir(folder);
      await writeFile(join(folder, kept), 'kept');
      assert.equal((await workflowBundle(quiet, folder)).code, 'kept');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
