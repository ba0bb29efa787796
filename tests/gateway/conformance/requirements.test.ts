import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { skip } from '../../support/skip.ts';
import { type Stack, startStack } from '../stack.ts';
import { conformanceHost } from './fixtures.ts';
import { type TokenProxy, startTokenProxy } from './token-proxy.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('../../conformance/', import.meta.url));
const NODE = `${HERE}node_modules/node/bin/node`;
const PACKAGE = `${HERE}node_modules/@modelcontextprotocol/conformance/dist/index.js`;
const REVISION = '2025-11-25';

describe('the conformance package', () => {
  let proxy: TokenProxy;
  let stack: Stack;

  before(async function () {
    this.timeout(300_000);
    await install(this);
    proxy = await startTokenProxy();
    const hosts = `localhost,127.0.0.1`;
    const origins = ['localhost', '127.0.0.1'].map((name) => `http://${name}:${proxy.port}`).join(',');
    stack = await startStack({
      host: conformanceHost,
      env: { ALLOWED_HOSTS: hosts, ALLOWED_ORIGINS: origins },
    });
    proxy.point({ url: stack.url, token: await stack.mint('supply_chain_manager') });
  });
  after(async () => {
    await proxy?.stop();
    await stack?.stop();
  });

  it(`finds everything that ${REVISION} requires of a server`, async function () {
    this.timeout(300_000);
    const { code, output } = await outcome([
      PACKAGE,
      'server',
      '--url',
      `${proxy.url}/mcp`,
      '--requirements',
      REVISION,
    ]);
    assert.equal(code, 0, output.slice(-4000));
    assert.doesNotMatch(output, /\b[1-9]\d* failed/);
  });
});

/** Their own lock file, in their own folder: its `node` must not shadow the one that runs the product. */
async function install(context: Mocha.Context): Promise<void> {
  if (existsSync(NODE) && existsSync(PACKAGE)) return;
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE });
  } catch (error) {
    skip(context, `the conformance package cannot be installed: ${String(error).slice(0, 200)}`);
  }
}

async function outcome(
  args: readonly string[],
): Promise<{ readonly code: unknown; readonly output: string }> {
  try {
    const { stdout, stderr } = await run(NODE, args, { maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error) || !('code' in error)) throw error;
    return { code: error.code, output: String(error.stdout) };
  }
}
