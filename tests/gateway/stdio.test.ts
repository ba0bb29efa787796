import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Stack, startStack } from './stack.ts';
import { INITIALIZE } from './wire.ts';

const ENTRY = fileURLToPath(new URL('../../cli/countersign.mjs', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../docs/examples/mcp.json', import.meta.url));
const run = promisify(execFile);

const HOSTS = z.object({
  mcpServers: z.record(z.string(), z.object({ command: z.string(), args: z.array(z.string()) })),
});

describe('stdio and the probe', function () {
  this.timeout(120_000);
  let stack: Stack;
  let folder = '';
  let tokenFile = '';
  before(async () => {
    stack = await startStack();
    folder = mkdtempSync(join(tmpdir(), 'countersign-stdio-'));
    tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, await stack.mint('supply_chain_manager'));
  });
  after(async () => {
    await stack?.stop();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('writes nothing but JSON-RPC to stdout', async () => {
    const speaker = speak(['--token-file', tokenFile]);
    await speaker.ask('initialize', INITIALIZE.params);
    await speaker.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    await speaker.ask('tools/call', { name: 'nothing_like_it', arguments: {} });
    speaker.send('this is no JSON');
    await speaker.ask('ping', {});
    const { output, code } = await speaker.end();
    assert.equal(code, 0);
    for (const line of output.split('\n').filter((text) => text !== '')) {
      assert.equal(Reflect.get(JSON.parse(line), 'jsonrpc'), '2.0', line);
    }
  });

  it('verifies the token at each call, and serves whoever it is for now', async () => {
    const own = join(folder, 'changing');
    writeFileSync(own, await stack.mint('supply_chain_manager'));
    const speaker = speak(['--token-file', own]);
    await speaker.ask('initialize', INITIALIZE.params);
    const manager = JSON.stringify(await speaker.ask('tools/list', {}));
    writeFileSync(own, await stack.mint('customer:C-1'));
    const customer = JSON.stringify(await speaker.ask('tools/list', {}));
    writeFileSync(own, 'forged');
    const forged = await speaker.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    rmSync(own);
    const gone = await speaker.ask('tools/list', {});
    await speaker.end();
    assert.deepEqual([/create_reorder/.test(manager), /create_reorder/.test(customer)], [true, false]);
    assert.match(JSON.stringify(forged), /"code":-32600.*not a JWT/);
    assert.match(JSON.stringify(gone), /token file cannot be read/);
  });

  it('has no default identity', async () => {
    const speaker = speak([]);
    await speaker.ask('initialize', INITIALIZE.params);
    const answer = await speaker.ask('tools/list', {});
    await speaker.end();
    assert.match(JSON.stringify(answer), /bearer token is needed/);
  });

  it('lists over stdio what it lists over HTTP', async () => {
    const [http, stdio] = await Promise.all([probe(['list']), probe(['list', '--transport', 'stdio'])]);
    assert.deepEqual(http, stdio);
    assert.deepEqual(z.object({ server: z.string() }).parse(stdio).server, 'countersign');
  });

  it('starts each entry of the shipped host configuration under its own name', async () => {
    const { mcpServers } = HOSTS.parse(JSON.parse(readFileSync(EXAMPLE, 'utf8')));
    for (const [name, { command, args }] of Object.entries(mcpServers)) {
      assert.deepEqual([command, args.slice(0, 2)], ['npx', ['countersign', 'stdio']]);
      const given = args.slice(2).map((arg) => (arg.endsWith('.token') ? tokenFile : arg));
      const speaker = speak(given);
      const hello = await speaker.ask('initialize', INITIALIZE.params);
      await speaker.end();
      assert.match(JSON.stringify(hello), new RegExp(`"serverInfo":{"name":"${name}"`));
    }
  });

  it('probes: tools by name and the stock of WH-2', async () => {
    const { stdout } = await run(
      process.execPath,
      [ENTRY, 'probe', '--url', stack.url, '--server', 'inventory'],
      { env: env() },
    );
    assert.match(stdout, /^tools: .*create_reorder/m);
    assert.match(stdout, /^stock: .*BER42-42/m);
  });

  it('probes with a tool, a prompt and a resource', async () => {
    const called = await probe(['call', 'check_stock', '{"manga_id":"BER42","volume_number":42}']);
    const prompted = await probe(['prompt', 'low_stock_review', '{"region":"EU"}']);
    const read = await probe(['read', 'orders://order/88213', '--transport', 'stdio']);
    assert.equal(Reflect.get(called, 'said'), 'In stock · 14 units · ships from Tokyo');
    assert.match(JSON.stringify(prompted), /region 'EU'/);
    assert.match(JSON.stringify(read), /88213/);
  });

  it('probes with exit code 2 when the answer is a refusal', async () => {
    await assert.rejects(probe(['call', 'check_stock', '{"manga_id":"; drop table"}']), { code: 2 });
  });

  function env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...stack.env };
  }

  async function probe(args: readonly string[]): Promise<object> {
    const { stdout } = await run(process.execPath, [ENTRY, 'probe', ...args, '--json', '--url', stack.url], {
      env: env(),
    });
    return z.looseObject({}).parse(JSON.parse(stdout));
  }

  function speak(args: readonly string[]) {
    return speaker(spawn(process.execPath, [ENTRY, 'stdio', ...args], { env: env() }));
  }
});

function speaker(child: ChildProcessWithoutNullStreams) {
  let output = '';
  let next = 0;
  const waiting = new Map<number, (answer: object) => void>();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = z.looseObject({ id: z.number().optional() }).safeParse(JSON.parse(line));
      if (message.success && message.data.id !== undefined) waiting.get(message.data.id)?.(message.data);
    }
  });
  const send = (line: string) => child.stdin.write(`${line}\n`);
  return {
    send,
    ask(method: string, params: object): Promise<object> {
      next += 1;
      const id = next;
      send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      return Promise.race([
        new Promise<object>((resolve) => waiting.set(id, resolve)),
        ended.then((code) => {
          throw new Error(`stdio ended with ${code}`);
        }),
      ]);
    },
    async end() {
      child.stdin.end();
      return { code: await ended, output };
    },
  };
}
