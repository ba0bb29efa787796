import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Clients that are not ours live outside the checkout: their dependencies must not meet the product's. */
const CLIENTS = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'countersign', 'clients');

const INSPECTOR = '0.16.8';

/** The path of the Inspector's entry, installed in a folder of its own at the first call. */
export async function inspector(): Promise<string> {
  const folder = await once(`inspector-${INSPECTOR}`, async (draft) => {
    const args = [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefix',
      draft,
      `@modelcontextprotocol/inspector@${INSPECTOR}`,
    ];
    await run('npm', args, { timeout: 240_000 });
  });
  return join(folder, 'node_modules', '@modelcontextprotocol', 'inspector', 'cli', 'build', 'cli.js');
}

/** The path of a Python that has the MCP client of this version. */
export async function pythonWith(version: string): Promise<string> {
  const folder = await once(`python-mcp-${version}`, async (draft) => {
    await run('python3', ['-m', 'venv', draft]);
    await run(join(draft, 'bin', 'python'), ['-m', 'pip', 'install', '-q', `mcp==${version}.*`], {
      timeout: 240_000,
    });
  });
  return join(folder, 'bin', 'python');
}

/** Made beside and renamed, so that an interrupted installation is never taken for a finished one. */
async function once(name: string, make: (draft: string) => Promise<void>): Promise<string> {
  const folder = join(CLIENTS, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CLIENTS, { recursive: true });
  const draft = `${folder}.${process.pid}`;
  try {
    await make(draft);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
