import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const IS_TTY = process.stdout.isTTY;

/** Checks Node and brings node_modules in line with the lock file. Ends the process when that is impossible. */
export async function readyToRun() {
  const problem = nodeProblem(process.versions.node, wantedNode());
  if (problem !== undefined) fail(problem);
  const why = whyInstall(ROOT);
  if (why === undefined) return;
  const status = await install(why);
  if (status !== 0) fail('npm ci failed; what it said is above. Once it works, start again.');
}

function wantedNode() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).engines.node;
}

/** `wanted` is `>=major.minor.patch`. */
export function nodeProblem(version, wanted) {
  const minimum = /^>=(\d+)\.(\d+)\.(\d+)$/.exec(wanted);
  if (minimum === null) throw new Error(`package.json: engines.node is ${wanted}, not >=x.y.z`);
  const have = version.split('.').map((part) => Number.parseInt(part, 10));
  for (let at = 0; at < 3; at += 1) {
    const least = Number(minimum[at + 1]);
    if (have[at] > least) return undefined;
    if (have[at] < least) return `Countersign needs Node ${wanted}; this is ${version}.`;
  }
  return undefined;
}

/** npm leaves a copy of the lock it installed from; older than ours means something has changed since. */
export function whyInstall(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return 'nothing is installed yet';
  const lock = join(root, 'package-lock.json');
  if (statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return undefined;
  return sameVersions(lock, installed) ? undefined : 'package-lock.json has changed';
}

/** A checkout touches the lock without changing it. Packages for other systems are in the lock only. */
function sameVersions(lock, installed) {
  const wanted = packagesOf(lock);
  const have = packagesOf(installed);
  const isThere = ([name, { version }]) => have[name]?.version === version;
  return Object.entries(wanted).every(
    (entry) => entry[0] === '' || entry[1].optional === true || isThere(entry),
  );
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

/** Shows how long it takes and how many packages are there already. */
function install(why) {
  const began = Date.now();
  const total =
    Object.values(packagesOf(join(ROOT, 'package-lock.json'))).filter(({ optional }) => !optional).length - 1;
  say(`… Installing ${total} packages: ${why}`);
  // npm_command says that an npm runs already; its settings of this run must not leak into that one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(command|lifecycle|package)/.test(name)),
  );
  const child = spawn(npm(), ['ci', '--no-audit', '--no-fund', '--loglevel=http'], {
    cwd: ROOT,
    env,
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let fetched = 0;
  let rest = '';
  const complaints = [];
  const listen = (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (/\bhttp (fetch|cache)\b/.test(line)) fetched += 1;
      else if (line.trim() !== '' && !/^npm (http|info|warn deprecated)/i.test(line)) complaints.push(line);
    }
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  const show = () => progress(`… Installing: ${left(fetched, total, (Date.now() - began) / 1000)}`);
  const timer = setInterval(show, IS_TTY ? 500 : 10_000);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      complaints.push(error.message);
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  }).then((status) => {
    clearInterval(timer);
    const seconds = ((Date.now() - began) / 1000).toFixed(0);
    if (status === 0) say(`${IS_TTY ? '\r\u001b[2K' : ''}✓ Installed ${total} packages (${seconds} s)`);
    else
      say(`${IS_TTY ? '\r\u001b[2K' : ''}${complaints.slice(-40).join('\n')}\n✗ Installing (${seconds} s)`);
    return status;
  });
}

export function left(fetched, total, seconds) {
  const done = Math.min(fetched, total);
  const part = `${done} of ${total} fetched, ${Math.round(seconds)} s`;
  if (done === 0 || seconds < 1) return part;
  if (done >= total) return `${part}, unpacking`;
  return `${part}, about ${Math.ceil((seconds * (total - done)) / done)} s left`;
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

function progress(text) {
  if (IS_TTY) process.stdout.write(`\r\u001b[2K${text.slice(0, (process.stdout.columns ?? 80) - 1)}`);
  else say(text);
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
