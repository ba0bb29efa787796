import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = '.cache/tpch';
const GENERATOR = 'tpchgen-cli==4.0.0';

/** A TPC-H shop in the columns of an import: made once, then kept below `.cache/`. Scale 0.1 has 150,000 orders. */
export async function tpchShop(scale: string): Promise<string> {
  const shop = join(CACHE, `shop-${scale}`);
  if (existsSync(shop)) return shop;
  const tables = join(CACHE, `tables-${scale}`);
  await mkdir(tables, { recursive: true });
  await run(await generator(), ['csv', '-s', scale, '-o', tables]);
  const draft = `${shop}.${process.pid}`;
  await run(process.execPath, ['--import', 'tsx', 'scripts/tpch-to-csv.ts', tables, draft]);
  await rm(tables, { recursive: true });
  // Moved when complete, so that a run that was stopped leaves no half shop behind.
  await rename(draft, shop);
  return shop;
}

async function generator(): Promise<string> {
  const own = join(CACHE, 'venv', 'bin', 'tpchgen-cli');
  if (existsSync(own)) return own;
  await run('python3', ['-m', 'venv', join(CACHE, 'venv')]);
  await run(join(CACHE, 'venv', 'bin', 'pip'), ['install', '--quiet', GENERATOR]);
  return own;
}
