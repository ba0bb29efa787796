import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** A file of a model, and the only bytes that are taken for it. */
export type PinnedFile = { readonly path: string; readonly sha256: string; readonly bytes: number };

/** The folder below `models/` and the name in fingerprints. */
export const MODEL_NAME = 'all-MiniLM-L6-v2';
export const MODEL_LICENCE = 'Apache-2.0';
/** Revision of sentence-transformers/all-MiniLM-L6-v2; every file is checked by its hash as well. */
export const MODEL_REVISION = '1110a243fdf4706b3f48f1d95db1a4f5529b4d41';

export const TOKENIZER_FILES: readonly PinnedFile[] = [
  {
    path: 'config.json',
    sha256: '953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41',
    bytes: 612,
  },
  {
    path: 'tokenizer.json',
    sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
    bytes: 466_247,
  },
  {
    path: 'tokenizer_config.json',
    sha256: 'acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b',
    bytes: 350,
  },
];

/** The model in single precision. */
export const FULL_MODEL: PinnedFile = {
  path: 'onnx/model.onnx',
  sha256: '6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452',
  bytes: 90_405_214,
};

/** The same weights before anybody made an ONNX graph of them; `model pull --from` makes one. */
export const WEIGHTS: PinnedFile = {
  path: 'model.safetensors',
  sha256: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
  bytes: 90_868_376,
};

/** What `bertToOnnx` makes of them: other bytes than the published graph, the same vectors. */
export const OWN_GRAPH: PinnedFile = {
  path: 'onnx/model.onnx',
  sha256: '018153db99cbf4eab5b7a08ddb1549c7e99862c17e3ac8ea512c5834d147089c',
  bytes: 90_285_369,
};

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
