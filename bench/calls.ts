import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openFloor } from './floor/floor.ts';
import { mcpClient } from './mcp-client.ts';
import { beside, quantile, type Row } from './report.ts';
import type { Stack } from './stack.ts';

const CALLS = 500;
const ACTIONS = 150;
const WARM_UP = 50;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A durable, cached read over HTTP beside the bare floor, one caller, call by call in turn. */
export async function benchReads(stack: Stack): Promise<readonly Row[]> {
  const floor = await openFloor(stack.config);
  const client = await mcpClient(stack.url, await stack.token('supply_chain_manager'));
  const echo = await openEcho();
  const echoing = await mcpClient(echo.url);
  const args = { manga_id: 'BER42', volume_number: 1 };
  // get_price: cached for minutes, so that every call after the first is a hit.
  const samples = { read: new Array<number>(), floor: new Array<number>(), echo: new Array<number>() };
  for (let i = 0; i < WARM_UP + CALLS; i += 1) {
    const [a, b, c] = [
      await timed(() => floor.call()),
      await timed(() => client.call('get_price', args)),
      await timed(() => echoing.call('echo', args)),
    ];
    if (i < WARM_UP) continue;
    samples.floor.push(a);
    samples.read.push(b);
    samples.echo.push(c);
  }
  await Promise.all([client.close(), echoing.close(), floor.close()]);
  echo.stop();
  const at = (q: number) => ({ value: quantile(samples.read, q), floor: quantile(samples.floor, q) });
  const floorName = 'bare one-activity workflow';
  // The floor waits for its completion; a read is answered when its record is durable (decision 0008).
  const note = 'answered at its record';
  return [
    beside({ name: 'durable cached read, p50', unit: 'ms', ...at(0.5), floorName, atMost: 1.3, note }),
    beside({ name: 'durable cached read, p99', unit: 'ms', ...at(0.99), floorName }),
    {
      name: 'echo without durability, p50',
      unit: 'ms',
      value: quantile(samples.echo, 0.5),
      note: 'same SDK and transport',
    },
  ];
}

async function openEcho(): Promise<{ readonly url: string; stop(): void }> {
  const child = fork(fileURLToPath(new URL('./echo-server.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  // The echo server sends its address and nothing else.
  const [url] = (await once(child, 'message')) as [string];
  return { url, stop: () => void child.send('stop') };
}

/** From the call to `pending_approval`, and from the yes to the committed effect. */
export async function benchActions(stack: Stack): Promise<readonly Row[]> {
  const floor = await openFloor(stack.config);
  const client = await mcpClient(stack.url, await stack.token('supply_chain_manager'));
  const lead = await stack.token('warehouse_lead');
  const samples = { accept: new Array<number>(), floor: new Array<number>(), effect: new Array<number>() };
  for (let i = 0; i < 10 + ACTIONS; i += 1) {
    const floorMs = await timed(() => floor.call());
    let actionId = '';
    const acceptMs = await timed(async () => {
      const args = { sku: 'BER42-42', quantity: 1, warehouse: 'WH-2', idempotency_key: randomUUID() };
      actionId = String((await client.call('create_reorder', args))['action_id']);
    });
    const effectMs = await timed(() => approve(stack.url, lead, actionId));
    if (i < 10) continue;
    samples.floor.push(floorMs);
    samples.accept.push(acceptMs);
    samples.effect.push(effectMs);
  }
  await Promise.all([client.close(), floor.close()]);
  const p50 = (values: readonly number[]) => quantile(values, 0.5);
  const beneath = { floor: p50(samples.floor), floorName: 'bare one-activity workflow', unit: 'ms' };
  return [
    beside({ name: 'accepting an action, p50', value: p50(samples.accept), ...beneath, atMost: 2 }),
    beside({ name: 'approval to effect, p50', value: p50(samples.effect), ...beneath }),
    { name: 'approval to effect, p99', value: quantile(samples.effect, 0.99), unit: 'ms' },
  ];
}

async function approve(url: string, token: string, actionId: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const decided = await fetch(`${url}/v1/approvals/${actionId}/decision`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ decision: 'approve' }),
  });
  if (!decided.ok)
    throw new Error(`The decision was answered with ${decided.status}: ${await decided.text()}`);
  for (;;) {
    const response = await fetch(`${url}/v1/approvals/${actionId}`, { headers });
    // The cast names the one field that is read.
    const { status } = (await response.json()) as { status: string };
    if (status === 'executed') return;
    if (status !== 'approved' && status !== 'pending_approval')
      throw new Error(`The action ended as ${status}.`);
  }
}
