import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { z } from 'zod';
import { EmbedderError, type Embedder } from '../../domain/policies.ts';
import { createPoster, joined } from '../http.ts';
import { unit } from '../unit.ts';
import { estimatedTokenizer } from './estimate.ts';

const VECTOR = z.array(z.number()).min(1);
const OPENAI_ANSWER = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: VECTOR })),
});
const OLLAMA_ANSWER = z.object({ embeddings: z.array(VECTOR) });
const TITAN_ANSWER = z.object({ embedding: VECTOR });

const BATCH = 64;
/** Titan takes one text per request. */
const TITAN_AT_ONCE = 4;
/** The least of what the models in use read; a chunk stays below it anyway. */
const MAX_TOKENS = 8_000;

type EmbedBatch = (texts: readonly string[], signal?: AbortSignal) => Promise<readonly (readonly number[])[]>;

/** Any service with OpenAI's `/embeddings`: OpenAI, vLLM, llama.cpp, LM Studio. `url` ends before `/embeddings`. */
export function openAiEmbedder(options: {
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** Asked of models that can shorten their vectors. */
  readonly dimensions?: number | undefined;
}): Promise<Embedder> {
  const { url, model, dimensions, ...rest } = options;
  const post = createPoster(rest);
  const embedBatch: EmbedBatch = async (input, signal) => {
    const body = {
      model,
      input,
      encoding_format: 'float',
      ...(dimensions === undefined ? {} : { dimensions }),
    };
    const { data } = await post(joined(url, 'embeddings'), body, OPENAI_ANSWER, signal);
    return [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  };
  return remoteEmbedder(`openai/${model}`, embedBatch);
}

export function ollamaEmbedder(options: { readonly url: string; readonly model: string }): Promise<Embedder> {
  const { url, model } = options;
  const post = createPoster({});
  const embedBatch: EmbedBatch = async (input, signal) =>
    // Cut silently, a chunk would be found by its first half only.
    (await post(joined(url, 'api/embed'), { model, input, truncate: false }, OLLAMA_ANSWER, signal))
      .embeddings;
  return remoteEmbedder(`ollama/${model}`, embedBatch);
}

/** Amazon Titan Text Embeddings V2 on Bedrock; credentials come from where AWS looks for them. */
export function titanEmbedder(options: {
  readonly region: string;
  readonly dimensions: 1024 | 512 | 256;
  /** Another address than AWS's own: a VPC endpoint. */
  readonly endpoint?: string | undefined;
}): Promise<Embedder> {
  const { region, dimensions, endpoint } = options;
  const modelId = 'amazon.titan-embed-text-v2:0';
  const client = new BedrockRuntimeClient({
    region,
    maxAttempts: 3,
    // One text and one vector a request: there is nothing to stream, and an endpoint of one's own may not speak HTTP/2.
    requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 10_000 }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const embedOne = async (inputText: string, signal?: AbortSignal) => {
    const body = JSON.stringify({ inputText, dimensions, normalize: true });
    const command = new InvokeModelCommand({ modelId, contentType: 'application/json', body });
    const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    return TITAN_ANSWER.parse(JSON.parse(Buffer.from(answer.body).toString('utf8'))).embedding;
  };
  const embedBatch: EmbedBatch = async (texts, signal) => {
    const vectors: (readonly number[])[] = [];
    for (let at = 0; at < texts.length; at += TITAN_AT_ONCE) {
      const some = texts.slice(at, at + TITAN_AT_ONCE);
      vectors.push(...(await Promise.all(some.map((text) => embedOne(text, signal)))));
    }
    return vectors;
  };
  return remoteEmbedder(`bedrock/${modelId}`, embedBatch);
}

/** Asks for one vector to learn the dimension. @throws {EmbedderError} when the service does not answer. */
async function remoteEmbedder(name: string, embedBatch: EmbedBatch): Promise<Embedder> {
  const [probe] = await ask(name, embedBatch, ['dimensions']);
  const dimensions = probe?.length ?? 0;

  async function embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += BATCH) {
      vectors.push(...(await ask(name, embedBatch, texts.slice(at, at + BATCH), signal)));
    }
    if (vectors.some((vector) => vector.length !== dimensions)) {
      throw new EmbedderError(`${name} answered with a vector of another length than before.`);
    }
    return vectors;
  }

  return { ...estimatedTokenizer(MAX_TOKENS), fingerprint: `${name}/${dimensions}/unit`, dimensions, embed };
}

async function ask(
  name: string,
  embedBatch: EmbedBatch,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Float32Array[]> {
  let vectors: readonly (readonly number[])[];
  try {
    vectors = await embedBatch(texts, signal);
  } catch (error) {
    throw new EmbedderError(`${name} does not answer as an embedder should.`, { cause: error });
  }
  if (vectors.length !== texts.length) {
    throw new EmbedderError(`${name} gave ${vectors.length} vectors for ${texts.length} texts.`);
  }
  return vectors.map((vector) => unit(Float32Array.from(vector)));
}
