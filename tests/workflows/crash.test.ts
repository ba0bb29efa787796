import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { lead, meddle, purchaseOrders } from '../approvals/room.ts';
import { orderStage } from './order-stage.ts';
import { openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

const SCRIPT = fileURLToPath(new URL('./crashing-worker.ts', import.meta.url));

/** Whatever dies in mid-work, the call ends once: one effect, one final row, the same answer. */
describe('when the worker is killed', function () {
  this.timeout(120_000);
  let stage: Stage;
  const children = new Set<ChildProcess>();
  before(async () => {
    stage = await openStage();
  });
  beforeEach(() => meddle(stage.room, 'delete from purchase_orders'));
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await stage.close();
  });

  async function worker(crashAt: string): Promise<ChildProcess> {
    const { room, temporal } = stage;
    const child = fork(SCRIPT, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        CRASH_AT: crashAt,
        DATABASE: room.writeUrl,
        NAMESPACE: temporal.namespace,
        ADDRESS: temporal.address,
        SEAL: room.keys.seal[0] ?? '',
        PERSONAL: room.keys.personal[0] ?? '',
      },
    });
    children.add(child);
    await once(child, 'message');
    return child;
  }

  async function dead(child: ChildProcess): Promise<void> {
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
  }

  const endings = async (callId: string) =>
    (await stage.rows(callId)).filter((row) => row.final).map(({ outcome }) => outcome);

  it('while the action waits: it is approved afterwards and runs once', async () => {
    const first = await worker('never');
    const plan = await stage.ask({ quantity: 1 });
    await until(async () => (await stage.handle(plan).describe()).historyLength > 8, 'the run to wait');
    first.kill('SIGKILL');
    await dead(first);
    const second = await stage.work();
    assert.equal((await stage.decide(plan, lead)).standing, 'approved');
    assert.equal((await stage.outcome(plan)).status, 'executed');
    await second.stop();
    assert.deepEqual([await purchaseOrders(stage.room), await endings(plan.callId)], [1, ['executed']]);
  });

  for (const point of ['before commit', 'after commit']) {
    it(`${point} of the effect: there is one purchase order and one ending`, async () => {
      const first = await worker(point);
      // The killed attempt is over for Temporal when its time is: two seconds instead of twenty.
      const plan = await shortLived();
      await stage.decide(plan, lead);
      await dead(first);
      const second = await stage.work();
      const { status, message } = await stage.outcome(plan);
      await second.stop();
      assert.equal(status, 'executed');
      assert.match(message, /^Reorder placed: PO #\d+/);
      assert.deepEqual([await purchaseOrders(stage.room), await endings(plan.callId)], [1, ['executed']]);
    });
  }

  it('in the middle of a read: another worker answers it, and there is one row', async () => {
    const first = await worker('in a read');
    const plan = await stage.read('warehouses', {}, { timeoutSeconds: 20 });
    const handle = await stage.startRead(plan);
    await dead(first);
    const second = await stage.work();
    assert.ok(await handle.result());
    await second.stop();
    assert.deepEqual(await endings(plan.callId), ['ok']);
  });

  it('after an order was moved, before Temporal heard of it: it has moved once', async () => {
    const orders = await orderStage(stage);
    const life = await orders.place('Confirmed');
    await orders.tell(life, 'shipped');
    const first = await worker('after judging');
    await orders.wake(life);
    await dead(first);
    assert.equal(await orders.state(life), 'Shipped');
    await orders.tell(life, 'delivered');
    const second = await orders.work();
    assert.equal(await orders.ended(life), 'Delivered');
    await second.stop();
    const changes = (await orders.published(life)).filter(({ topic }) => topic === 'order_status_changed');
    assert.deepEqual(
      [await orders.walked(life), changes.length],
      [['Confirmed>Packed?', 'Packed>Shipped', 'Shipped>OutForDelivery?', 'OutForDelivery>Delivered'], 4],
    );
  });

  it('across expiry: a vote that was sent in time counts', async () => {
    const plan = await stage.ask({ quantity: 4, expiresInMs: 1_500 });
    const { code } = await stage.room.desk.issueCode(lead, plan.callId, 'approve');
    await stage.signal(plan, { decision: 'approve', approver: lead.subject, code });
    await until(async () => Date.now() > Date.parse(plan.expiresAt), 'the expiry');
    const worker = await stage.work();
    assert.equal((await stage.outcome(plan)).status, 'executed');
    await worker.stop();
  });

  async function shortLived() {
    const { planned } = await import('../approvals/room.ts');
    const plan = planned(stage.room, { quantity: 2 }, { timeoutSeconds: 2 });
    await stage.room.desk.claim(plan, undefined);
    await stage.start(plan);
    return plan;
  }
});
