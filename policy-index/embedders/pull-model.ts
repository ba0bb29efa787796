import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bertToOnnx } from './bert-to-onnx.ts';
import { findRuntime } from './local-model.ts';
import {
  FULL_MODEL,
  MODEL_NAME,
  MODEL_REVISION,
  OWN_GRAPH,
  sha256Of,
  TOKENIZER_FILES,
  WEIGHTS,
  type PinnedFile,
} from './model-files.ts';

const HUB = 'https://huggingface.co/sentence-transformers';
const RUNTIME_PACKAGE = '@huggingface/transformers@4.3.1';
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;

export type Pulled = { readonly folder: string; readonly model: string; readonly runtime: string };

/**
 * Puts the pinned local model and its runtime where they are looked for. Every file is checked by its SHA-256 before
 * it counts, and what is already there and right is left alone. `from`: a folder that holds the files, instead of the
 * hub; weights without a graph (`model.safetensors`) get one.
 *
 * @throws when a file is missing, cannot be fetched or is another than the pinned one; nothing of it is kept then.
 */
export async function pullModel(options: {
  readonly modelsFolder: string;
  readonly from?: string;
  readonly hub?: string;
  readonly runtime?: boolean;
  readonly log: (line: string) => void;
}): Promise<Pulled> {
  const { modelsFolder, from, hub = HUB, runtime = true, log } = options;
  const folder = join(modelsFolder, MODEL_NAME);
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const get = (file: PinnedFile) =>
    from === undefined
      ? download(
          `${hub}/${MODEL_NAME}/resolve/${MODEL_REVISION}/${file.path}`,
          join(folder, file.path),
          file,
          log,
        )
      : take(join(from, file.path), join(folder, file.path), file, log);
  for (const file of TOKENIZER_FILES) await get(file);
  const needsGraph = from !== undefined && !existsSync(join(from, FULL_MODEL.path));
  if (needsGraph) await makeGraph(from, folder, log);
  else await get(FULL_MODEL);
  return {
    folder,
    model: join(folder, FULL_MODEL.path),
    runtime: runtime ? await installRuntime(modelsFolder, log) : (findRuntime(modelsFolder) ?? ''),
  };
}

async function download(
  url: string,
  to: string,
  file: PinnedFile,
  log: (line: string) => void,
): Promise<void> {
  if (await isPinned(to, file)) return;
  log(`fetching ${file.path} (${Math.ceil(file.bytes / 1e6)} MB) from ${new URL(url).host}`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!answer.ok || !answer.body)
    throw new Error(`${new URL(url).host} answered ${answer.status} for ${file.path}.`);
  await keep(Readable.fromWeb(answer.body), to, file);
}

async function take(from: string, to: string, file: PinnedFile, log: (line: string) => void): Promise<void> {
  if (await isPinned(to, file)) return;
  if (!existsSync(from)) throw new Error(`${file.path} is not in ${dirname(from)}.`);
  log(`taking ${file.path}`);
  await keep(createReadStream(from), to, file);
}

/** Written aside and moved when it is the pinned file, so that half of one is never found. */
async function keep(source: Readable, to: string, file: PinnedFile): Promise<void> {
  const aside = `${to}.part`;
  const hash = createHash('sha256');
  let size = 0;
  source.on('data', (piece: Buffer) => {
    hash.update(piece);
    size += piece.length;
    if (size > file.bytes) source.destroy(new Error(`${file.path} is larger than the pinned file.`));
  });
  try {
    await pipeline(source, createWriteStream(aside));
    if (hash.digest('hex') !== file.sha256) {
      throw new Error(`${file.path} is not the pinned file: its SHA-256 differs. Nothing was kept.`);
    }
    await rename(aside, to);
  } finally {
    await rm(aside, { force: true });
  }
}

async function makeGraph(from: string, folder: string, log: (line: string) => void): Promise<void> {
  const to = join(folder, OWN_GRAPH.path);
  if (await isPinned(to, OWN_GRAPH)) return;
  const source = join(from, WEIGHTS.path);
  if (!existsSync(source)) throw new Error(`${from} holds neither ${FULL_MODEL.path} nor ${WEIGHTS.path}.`);
  if ((await sha256Of(source)) !== WEIGHTS.sha256) {
    throw new Error(`${WEIGHTS.path} is not the pinned file: its SHA-256 differs. Nothing was kept.`);
  }
  log(`making ${FULL_MODEL.path} of ${WEIGHTS.path}`);
  const graph = bertToOnnx(await readFile(source), await readFile(join(folder, 'config.json'), 'utf8'));
  await keep(Readable.from([graph]), to, OWN_GRAPH);
}

async function isPinned(path: string, file: PinnedFile): Promise<boolean> {
  return existsSync(path) && (await sha256Of(path)) === file.sha256;
}

/**
 * The runtime lives beside the models and not among this project's packages: it is ten times as heavy as all of them,
 * and its install script fetches files for graphics cards from elsewhere, which is left out.
 */
async function installRuntime(modelsFolder: string, log: (line: string) => void): Promise<string> {
  const found = findRuntime(modelsFolder);
  if (found !== undefined) return found;
  const folder = join(modelsFolder, 'runtime');
  await mkdir(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest))
    await writeFile(manifest, '{ "name": "countersign-runtime", "private": true }\n');
  log(`installing ${RUNTIME_PACKAGE} into ${folder}`);
  await npm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', RUNTIME_PACKAGE],
    folder,
  );
  const installed = findRuntime(modelsFolder);
  if (installed === undefined)
    throw new Error(`${basename(RUNTIME_PACKAGE)} was installed and is not found.`);
  return installed;
}

function npm(args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ended with ${String(code)}; what it said is above.`));
    });
  });
}
