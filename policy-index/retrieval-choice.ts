import { join } from 'node:path';
import {
  PolicyIndexError,
  type Embedder,
  type EmbedderChoice,
  type IndexFingerprint,
  type Reranker,
} from '../domain/policies.ts';
import type { EmbedderWish, RerankerWish } from '../platform/retrieval-settings.ts';
import { estimatedTokenizer } from './embedders/estimate.ts';
import { findRuntime, modelFileIn, openLocalModel, type LocalModel } from './embedders/local-model.ts';
import { fitLsa, LSA_TOKENIZER, readLsa } from './embedders/lsa.ts';
import { MODEL_NAME } from './embedders/model-files.ts';
import { ollamaEmbedder, openAiEmbedder, titanEmbedder } from './embedders/remote.ts';
import { createHeadingReranker } from './rerankers/headings.ts';
import { createMaxSimReranker } from './rerankers/max-sim.ts';
import { remoteReranker } from './rerankers/remote.ts';

export type RetrievalChoice = {
  readonly embedders: EmbedderChoice;
  readonly reranker: Reranker | undefined;
  close(): Promise<void>;
};

/**
 * Settles who embeds and who reranks. Nothing is downloaded, and nothing is asked of a remote service yet: one that is
 * away at the start is found when it is needed.
 *
 * @throws {EmbedderError} when a local model was asked for by name and is not there.
 */
export async function chooseRetrieval(options: {
  readonly embedder: EmbedderWish;
  readonly reranker: RerankerWish;
  readonly modelsFolder: string;
}): Promise<RetrievalChoice> {
  const { embedder, modelsFolder } = options;
  const local = await localModel(embedder, modelsFolder);
  return {
    embedders: local ? always(`local model ${local.fingerprint}`, local) : chosen(embedder, modelsFolder),
    reranker: rerankerOf(options.reranker, local),
    close: async () => local?.close(),
  };
}

function chosen(wish: EmbedderWish, modelsFolder: string): EmbedderChoice {
  if (wish.kind === 'openai') {
    return remote(`${wish.model} at ${wish.url}`, `openai/${wish.model}/`, () => openAiEmbedder(wish));
  }
  if (wish.kind === 'ollama') {
    return remote(`${wish.model} of Ollama at ${wish.url}`, `ollama/${wish.model}/`, () =>
      ollamaEmbedder(wish),
    );
  }
  if (wish.kind === 'bedrock') {
    return remote(`Titan V2 on Bedrock in ${wish.region}`, 'bedrock/', () => titanEmbedder(wish));
  }
  return lsa(wish.kind === 'auto' ? ` (${whyNotLocal(modelsFolder)})` : '');
}

async function localModel(wish: EmbedderWish, modelsFolder: string): Promise<LocalModel | undefined> {
  if (wish.kind === 'onnx') return openLocalModel({ folder: wish.folder ?? join(modelsFolder, MODEL_NAME) });
  const folder = join(modelsFolder, MODEL_NAME);
  const isThere = modelFileIn(folder) !== undefined && findRuntime(modelsFolder) !== undefined;
  return wish.kind === 'auto' && isThere ? openLocalModel({ folder }) : undefined;
}

function whyNotLocal(modelsFolder: string): string {
  const isThere = modelFileIn(join(modelsFolder, MODEL_NAME)) !== undefined;
  const missing = isThere ? 'the runtime of local models is not installed' : 'there is no local model';
  return `${missing}: countersign model pull`;
}

function rerankerOf(wish: RerankerWish, local: LocalModel | undefined): Reranker | undefined {
  if (wish.kind === 'remote') return remoteReranker(wish);
  if (wish.kind === 'none') return undefined;
  return local ? createMaxSimReranker(local) : createHeadingReranker();
}

function always(description: string, embedder: Embedder): EmbedderChoice {
  return {
    description,
    tokenizer: embedder,
    building: async () => ({ embedder, model: null }),
    reading: async (fingerprint) => {
      assertOwn(fingerprint, embedder.fingerprint, embedder.fingerprint);
      return embedder;
    },
  };
}

/** Opened at the first use, and again after a failure. `prefix` is what all its fingerprints begin with. */
function remote(description: string, prefix: string, open: () => Promise<Embedder>): EmbedderChoice {
  let opened: Promise<Embedder> | undefined;
  const get = async () => {
    const opening = (opened ??= open());
    try {
      return await opening;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
  return {
    description,
    tokenizer: estimatedTokenizer(8_000),
    building: async () => ({ embedder: await get(), model: null }),
    reading: async (fingerprint) => {
      assertOwn(fingerprint, prefix, description);
      const embedder = await get();
      assertOwn(fingerprint, embedder.fingerprint, description);
      return embedder;
    },
  };
}

function lsa(why: string): EmbedderChoice {
  /** The live build and the one before it. */
  const read = new Map<string, Embedder>();
  return {
    description: `LSA fitted to the documents${why}`,
    tokenizer: LSA_TOKENIZER,
    building: async (texts) => {
      const model = await fitLsa(texts);
      return { embedder: readLsa(model), model };
    },
    reading: async (fingerprint, model) => {
      assertOwn(fingerprint, 'lsa-', 'LSA');
      const known = read.get(fingerprint.embedder);
      if (known) return known;
      const bytes = await model();
      if (!bytes)
        throw new PolicyIndexError(
          'corrupt',
          'The build has lost its embedder. Make a new build: countersign policy ingest',
        );
      const embedder = readLsa(bytes);
      assertOwn(fingerprint, embedder.fingerprint, 'LSA');
      const [oldest] = read.keys();
      if (read.size > 1 && oldest !== undefined) read.delete(oldest);
      read.set(embedder.fingerprint, embedder);
      return embedder;
    },
  };
}

function assertOwn(fingerprint: IndexFingerprint, prefix: string, configured: string): void {
  if (fingerprint.embedder.startsWith(prefix)) return;
  throw new PolicyIndexError(
    'other_embedder',
    `The policy index was made with ${fingerprint.embedder}, and ${configured} is configured. ` +
      'Configure the former, or make a new build: countersign policy ingest',
  );
}
