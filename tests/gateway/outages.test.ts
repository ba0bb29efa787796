import assert from 'node:assert/strict';
import { z } from 'zod';
import { asAdmin } from '../support/database.ts';
import { temporalAddress } from '../support/temporal.ts';
import { type Cut, cuttable } from './cut.ts';
import { type Stack, startStack } from './stack.ts';
import { type Answer, openSession, textOf } from './wire.ts';

const REORDER = { sku: 'BER42-42', quantity: 21, warehouse: 'WH-2' };
const CHECK = { name: 'check_stock', arguments: { manga_id: 'BER42', volume_number: 42 } };

describe('while Temporal is gone', function () {
  this.timeout(120_000);
  let stack: Stack;
  let wire: Cut;
  before(async () => {
    const [host = '', port] = temporalAddress().split(':');
    wire = await cuttable(host, Number(port));
    stack = await startStack({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${wire.port}` } });
  });
  after(async () => {
    wire?.mend();
    await stack?.stop();
    await wire?.close();
  });

  it('a read says so within five seconds, an action is kept and starts later, and all is well again afterwards', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    assert.equal((await session.ask('tools/call', CHECK)).result?.['isError'], undefined);
    wire.cut();
    const from = Date.now();
    const read = await session.ask('tools/call', CHECK);
    assert.ok(Date.now() - from < 5000, `${Date.now() - from} ms`);
    assert.equal(codeIn(read), 'unavailable');
    assert.match(textOf(read), /try again/i);

    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, idempotency_key: 'gone' },
    });
    assert.equal(codeIn(asked), 'unavailable');
    assert.equal(await healthOf(stack), 'degraded');

    wire.mend();
    await eventually(async () => (await session.ask('tools/call', CHECK)).result?.['isError'] === undefined);
    const again = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, idempotency_key: 'gone' },
    });
    assert.match(textOf(again), /waiting for approval/);
    assert.equal(await healthOf(stack), 'ok');
  });
});

describe('while Postgres is gone', function () {
  this.timeout(120_000);
  let stack: Stack;
  let wire: Cut;
  before(async () => {
    const admin = new URL(process.env['TEST_PG_ADMIN_URL'] ?? '');
    wire = await cuttable(admin.hostname, Number(admin.port));
    stack = await startStack({ through: wire.port });
  });
  after(async () => {
    wire?.mend();
    await stack?.stop();
    await wire?.close();
  });

  it('a cached answer leaves and its row is written on recovery; an action is refused and nothing is kept of it', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    assert.equal((await session.ask('tools/call', CHECK)).result?.['isError'], undefined);
    wire.cut();
    const cached = await session.ask('tools/call', CHECK, 'owed');
    assert.equal(textOf(cached), 'In stock · 14 units · ships from Tokyo');
    const asked = await session.ask('tools/call', { name: 'create_reorder', arguments: REORDER });
    assert.equal(codeIn(asked), 'unavailable');
    assert.equal(await healthOf(stack), 'degraded');

    wire.mend();
    await eventually(async () => (await finalRows(stack, 'owed')) === 1);
    const { rowCount } = await asAdmin((admin) => admin.query('select from actions'), stack.db.adminUrl);
    assert.equal(rowCount, 0);
  });
});

function codeIn(answer: Answer): unknown {
  return z.object({ error: z.object({ code: z.string() }) }).parse(JSON.parse(textOf(answer, 1))).error.code;
}

async function healthOf(stack: Stack): Promise<string> {
  // /health asks its dependencies at most once a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  return z.object({ status: z.string() }).parse(await (await fetch(`${stack.url}/health`)).json()).status;
}

async function finalRows({ db }: Stack, requestId: string): Promise<number> {
  return asAdmin(async (admin) => {
    const { rowCount } = await admin.query('select from audit_log where request_id = $1 and final', [
      requestId,
    ]);
    return rowCount ?? 0;
  }, db.adminUrl);
}

async function eventually(happened: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 30_000;
  while (!(await happened())) {
    assert.ok(Date.now() < until, 'it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
