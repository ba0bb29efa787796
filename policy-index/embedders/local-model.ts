import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbedderError, type Embedder } from '../../domain/policies.ts';
import { unit } from '../unit.ts';
import { MODEL_NAME, sha256Of } from './model-files.ts';

/** Positions of the model, less the two special tokens. */
const MAX_TOKENS = 510;
const BATCH = 16;
const RUNTIME = '@huggingface/transformers';

/** What is used of the runtime, which is optional and has no types here. */
type Runtime = {
  readonly env: { allowRemoteModels: boolean; allowLocalModels: boolean; localModelPath: string };
  readonly AutoTokenizer: { from_pretrained(name: string): Promise<RuntimeTokenizer> };
  readonly AutoModel: { from_pretrained(name: string, options: object): Promise<RuntimeModel> };
};
type RuntimeTokenizer = ((texts: string[], options: object) => RuntimeInputs) & {
  encode(text: string, options: object): readonly number[];
};
type RuntimeInputs = { readonly attention_mask: { readonly data: ArrayLike<bigint> } };
type RuntimeModel = ((inputs: RuntimeInputs) => Promise<{
  readonly last_hidden_state: { readonly dims: readonly number[]; readonly data: Float32Array };
}>) & {
  dispose(): Promise<unknown>;
};

/** The vectors of one text: the mean, at length 1, and one for each token, each at length 1. */
export type TokenVectors = { readonly pooled: Float32Array; readonly tokens: readonly Float32Array[] };

export type LocalModel = Embedder & {
  tokenVectors(texts: readonly string[]): Promise<readonly TokenVectors[]>;
  close(): Promise<void>;
};

/** The model's file in `folder`: the quantised one before the full one; undefined when there is none. */
export function modelFileIn(
  folder: string,
): { readonly path: string; readonly dtype: 'q8' | 'fp32' } | undefined {
  const quantised = join(folder, 'onnx', 'model_quantized.onnx');
  if (existsSync(quantised)) return { path: quantised, dtype: 'q8' };
  const full = join(folder, 'onnx', 'model.onnx');
  return existsSync(full) ? { path: full, dtype: 'fp32' } : undefined;
}

/** Where the runtime is: beside the models (`countersign model pull`), or among the project's packages. */
export function findRuntime(modelsFolder: string): string | undefined {
  for (const root of [join(modelsFolder, 'runtime', 'package.json'), import.meta.filename]) {
    try {
      return createRequire(root).resolve(RUNTIME);
    } catch {
      // Not there: look in the next place. Neither is an error, as the runtime is optional.
    }
  }
  return undefined;
}

/**
 * A BERT-like sentence encoder from a folder in the layout of transformers.js, by mean pooling.
 *
 * @throws {EmbedderError} when the runtime or the model is missing or unreadable.
 */
export async function openLocalModel(options: {
  readonly folder: string;
  readonly threads?: number;
}): Promise<LocalModel> {
  const { folder, threads = 2 } = options;
  const file = modelFileIn(folder);
  if (!file) throw new EmbedderError(`There is no model in ${folder}. Get it: countersign model pull`);
  const { tokenizer, model } = await start(folder, file.dtype, threads);
  const sha256 = await sha256Of(file.path);

  async function tokenVectors(texts: readonly string[]): Promise<readonly TokenVectors[]> {
    // Texts of one length together: a short one among long ones is padded, and padding is computed, too.
    const order = texts.map((text, place) => ({ text, place })).sort((a, b) => a.text.length - b.text.length);
    const found: TokenVectors[] = [];
    for (let at = 0; at < order.length; at += BATCH) {
      const batch = order.slice(at, at + BATCH);
      const vectors = await encode(batch.map(({ text }) => text));
      batch.forEach(({ place }, i) => {
        const each = vectors[i];
        if (each) found[place] = each;
      });
    }
    return found;
  }

  async function encode(texts: readonly string[]): Promise<readonly TokenVectors[]> {
    try {
      const inputs = tokenizer([...texts], { padding: true, truncation: true, max_length: MAX_TOKENS + 2 });
      const { last_hidden_state: state } = await model(inputs);
      return texts.map((_, row) => vectorsOf(state, inputs.attention_mask.data, row));
    } catch (error) {
      throw new EmbedderError('The local model failed on a text.', { cause: error });
    }
  }

  const dimensions = (await encode(['dimensions']))[0]?.pooled.length ?? 0;
  return {
    name: MODEL_NAME,
    maxTokens: MAX_TOKENS,
    countTokens: (text) => tokenizer.encode(text, { add_special_tokens: false }).length,
    fingerprint: `onnx/${MODEL_NAME}/${file.dtype}/${sha256.slice(0, 16)}/mean/unit`,
    dimensions,
    embed: async (texts) => (await tokenVectors(texts)).map(({ pooled }) => pooled),
    tokenVectors,
    close: async () => void (await model.dispose()),
  };
}

async function start(folder: string, dtype: string, threads: number) {
  const models = dirname(folder);
  const path = findRuntime(models);
  if (path === undefined) {
    throw new EmbedderError(
      `The runtime of local models (${RUNTIME}) is not installed: countersign model pull`,
    );
  }
  try {
    // The package has no types here, as it is optional; `Runtime` names what is used of it.
    const runtime = createRequire(import.meta.url)(path) as Runtime;
    Object.assign(runtime.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: models });
    const name = folder.slice(models.length + 1);
    const tokenizer = await runtime.AutoTokenizer.from_pretrained(name);
    const session = { intraOpNumThreads: threads, interOpNumThreads: 1 };
    const model = await runtime.AutoModel.from_pretrained(name, {
      dtype,
      device: 'cpu',
      session_options: session,
    });
    return { tokenizer, model };
  } catch (error) {
    throw new EmbedderError(`The model in ${folder} cannot be loaded.`, { cause: error });
  }
}

function vectorsOf(
  state: { readonly dims: readonly number[]; readonly data: Float32Array },
  mask: ArrayLike<bigint>,
  row: number,
): TokenVectors {
  const [, length = 0, width = 0] = state.dims;
  const tokens: Float32Array[] = [];
  const sum = new Float32Array(width);
  for (let place = 0; place < length; place += 1) {
    if (mask[row * length + place] === 0n) continue;
    const start = (row * length + place) * width;
    const vector = state.data.slice(start, start + width);
    for (let d = 0; d < width; d += 1) sum[d] = (sum[d] ?? 0) + (vector[d] ?? 0);
    tokens.push(unit(vector));
  }
  return { pooled: unit(sum), tokens };
}
