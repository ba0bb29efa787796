import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Stack, startStack } from '../gateway/stack.ts';
import { skip } from '../support/skip.ts';
import { inspector, pythonWith } from './install.ts';

const run = promisify(execFile);

const SAID = 'In stock · 14 units · ships from Tokyo';

const FOUND = z.object({
  server: z.string(),
  tools: z.array(z.string()),
  stock: z.string(),
  prompt: z.string(),
  said: z.string(),
  structured: z.looseObject({ in_stock: z.boolean() }),
});

describe('clients that are not ours', function () {
  this.timeout(300_000);
  let stack: Stack;
  let token = '';
  before(async () => {
    stack = await startStack();
    token = await stack.mint('supply_chain_manager');
  });
  after(() => stack?.stop());

  for (const [version, script] of [
    ['1.30', 'client_v1.py'],
    ['2.3', 'client_v2.py'],
  ] as const) {
    it(`Python mcp ${version} lists, reads, prompts and calls`, async function () {
      const python = await installed(this, `the Python client mcp ${version}`, () => pythonWith(version));
      const path = fileURLToPath(new URL(script, import.meta.url));
      const { stdout } = await run(python, [path, `${stack.url}/mcp`], {
        env: { ...process.env, COUNTERSIGN_TOKEN: token },
        timeout: 60_000,
      });
      const found = FOUND.parse(JSON.parse(stdout));
      assert.equal(found.said, SAID);
      assert.equal(found.server, 'countersign');
      assert.ok(found.tools.includes('create_reorder'));
      assert.match(found.stock, /BER42-42/);
      assert.match(found.prompt, /region 'EU'/);
      assert.equal(found.structured.in_stock, true);
    });
  }

  it('Inspector 0.16.8 lists tools', async function () {
    assert.match(await inspect(this, ['tools/list']), /"create_reorder"/);
  });

  it('Inspector 0.16.8 reads a resource', async function () {
    assert.match(
      await inspect(this, ['resources/read', '--uri', 'inventory://warehouse/WH-2/stock']),
      /BER42-42/,
    );
  });

  it('Inspector 0.16.8 gets a prompt', async function () {
    const text = await inspect(this, [
      'prompts/get',
      '--prompt-name',
      'low_stock_review',
      '--prompt-args',
      'region=EU',
    ]);
    assert.match(text, /region 'EU'/);
  });

  it('Inspector 0.16.8 calls a tool', async function () {
    const args = ['--tool-name', 'check_stock', '--tool-arg', 'manga_id=BER42', 'volume_number=42'];
    assert.ok((await inspect(this, ['tools/call', ...args])).includes(SAID));
  });

  async function inspect(context: Mocha.Context, args: readonly string[]): Promise<string> {
    const cli = await installed(context, 'the Inspector', inspector);
    const connect = [
      '--cli',
      `${stack.url}/mcp`,
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${token}`,
    ];
    const { stdout } = await run(process.execPath, [cli, ...connect, '--method', ...args], {
      timeout: 60_000,
    });
    return stdout;
  }
});

async function installed(
  context: Mocha.Context,
  what: string,
  install: () => Promise<string>,
): Promise<string> {
  try {
    return await install();
  } catch (error) {
    return skip(
      context,
      `${what} cannot be installed here (${error instanceof Error ? error.message.split('\n')[0] : 'unknown'})`,
    );
  }
}
