import { join, resolve } from 'node:path';
import { z } from 'zod';
import { awsRegion, httpUrl } from './config-values.ts';

/** Who embeds, as configured; `auto` takes the local model if it is there, and LSA if not. */
export type EmbedderWish =
  | { readonly kind: 'auto' | 'lsa' }
  | { readonly kind: 'onnx'; readonly folder: string | undefined }
  | {
      readonly kind: 'openai';
      readonly url: string;
      readonly model: string;
      readonly apiKey: string | undefined;
      /** Asked of models that can shorten their vectors. */
      readonly dimensions: number | undefined;
    }
  | { readonly kind: 'ollama'; readonly url: string; readonly model: string }
  | {
      readonly kind: 'bedrock';
      readonly region: string;
      readonly dimensions: 1024 | 512 | 256;
      readonly endpoint: string | undefined;
    };

/** Who reranks; `auto` takes the local model if it embeds, and a look at the headings if not. */
export type RerankerWish =
  | { readonly kind: 'auto' | 'none' }
  | {
      readonly kind: 'remote';
      readonly url: string;
      readonly model: string;
      readonly apiKey: string | undefined;
    };

/** Who rewrites a question that leans on those before it; `none` looks it up together with them. */
export type RewriterWish =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'openai';
      readonly url: string;
      readonly model: string;
      readonly apiKey: string | undefined;
    }
  | { readonly kind: 'ollama'; readonly url: string; readonly model: string }
  | {
      readonly kind: 'bedrock';
      readonly region: string;
      readonly model: string;
      readonly endpoint: string | undefined;
    };

export type RetrievalSettings = {
  readonly embedder: EmbedderWish;
  readonly reranker: RerankerWish;
  readonly rewriter: RewriterWish;
  readonly fusion: 'minmax' | 'rrf';
  /** Absolute path of the folder with local models and their runtime. */
  readonly modelsFolder: string;
};

const TITAN_DIMENSIONS = [1024, 512, 256] as const;

export const RETRIEVAL_VARIABLES = {
  POLICY_EMBEDDER: z
    .enum(
      ['auto', 'lsa', 'onnx', 'openai', 'ollama', 'bedrock'],
      'allowed: auto, lsa, onnx, openai, ollama, bedrock',
    )
    .default('auto'),
  POLICY_EMBEDDER_URL: httpUrl.optional(),
  POLICY_EMBEDDER_MODEL: z.string().min(1).max(200).optional(),
  POLICY_EMBEDDER_KEY: z.string().min(1).optional(),
  POLICY_EMBEDDER_DIMENSIONS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'allowed: a whole number')
    .transform(Number)
    .optional(),
  POLICY_EMBEDDER_REGION: awsRegion.optional(),
  POLICY_EMBEDDER_FOLDER: z.string().optional(),
  POLICY_RERANKER: z.enum(['auto', 'none', 'remote'], 'allowed: auto, none, remote').default('auto'),
  POLICY_RERANKER_URL: httpUrl.optional(),
  POLICY_RERANKER_MODEL: z.string().min(1).max(200).optional(),
  POLICY_RERANKER_KEY: z.string().min(1).optional(),
  POLICY_REWRITER: z
    .enum(['none', 'openai', 'ollama', 'bedrock'], 'allowed: none, openai, ollama, bedrock')
    .default('none'),
  POLICY_REWRITER_URL: httpUrl.optional(),
  POLICY_REWRITER_MODEL: z.string().min(1).max(200).optional(),
  POLICY_REWRITER_KEY: z.string().min(1).optional(),
  POLICY_REWRITER_REGION: awsRegion.optional(),
  POLICY_FUSION: z.enum(['minmax', 'rrf'], 'allowed: minmax, rrf').default('minmax'),
  POLICY_MODELS: z.string().optional(),
};

type Variables = z.output<z.ZodObject<typeof RETRIEVAL_VARIABLES>>;

export function retrievalRules(v: Variables): readonly (readonly [boolean, string])[] {
  const kind = v.POLICY_EMBEDDER;
  const isRemote = kind === 'openai' || kind === 'ollama';
  return [
    [
      isRemote && (v.POLICY_EMBEDDER_URL === undefined || v.POLICY_EMBEDDER_MODEL === undefined),
      `POLICY_EMBEDDER=${kind} needs POLICY_EMBEDDER_URL and POLICY_EMBEDDER_MODEL`,
    ],
    [
      kind === 'bedrock' && v.POLICY_EMBEDDER_REGION === undefined,
      'POLICY_EMBEDDER=bedrock needs POLICY_EMBEDDER_REGION; allowed: an AWS region such as eu-central-1',
    ],
    [
      kind === 'bedrock' && titanDimensions(v) === undefined,
      `POLICY_EMBEDDER_DIMENSIONS: Titan V2 gives other vectors; allowed: ${TITAN_DIMENSIONS.join(', ')}`,
    ],
    [
      v.POLICY_RERANKER === 'remote' &&
        (v.POLICY_RERANKER_URL === undefined || v.POLICY_RERANKER_MODEL === undefined),
      'POLICY_RERANKER=remote needs POLICY_RERANKER_URL and POLICY_RERANKER_MODEL',
    ],
    ...rewriterRules(v),
  ];
}

function rewriterRules(v: Variables): readonly (readonly [boolean, string])[] {
  const { POLICY_REWRITER: kind, POLICY_REWRITER_MODEL: model } = v;
  const isMissing =
    kind === 'bedrock' ? v.POLICY_REWRITER_REGION === undefined : v.POLICY_REWRITER_URL === undefined;
  const place = kind === 'bedrock' ? 'POLICY_REWRITER_REGION' : 'POLICY_REWRITER_URL';
  return [
    [
      kind !== 'none' && (isMissing || model === undefined),
      `POLICY_REWRITER=${kind} needs ${place} and POLICY_REWRITER_MODEL`,
    ],
  ];
}

export function retrievalOf(v: Variables, home: string): RetrievalSettings {
  return {
    embedder: embedderOf(v),
    reranker: rerankerOf(v),
    rewriter: rewriterOf(v),
    fusion: v.POLICY_FUSION,
    modelsFolder: resolve(v.POLICY_MODELS ?? join(home, 'models')),
  };
}

function embedderOf(v: Variables): EmbedderWish {
  const { POLICY_EMBEDDER: kind, POLICY_EMBEDDER_URL: url, POLICY_EMBEDDER_MODEL: model } = v;
  const { POLICY_EMBEDDER_REGION: region, POLICY_EMBEDDER_FOLDER: folder } = v;
  const dimensions = titanDimensions(v);
  if (kind === 'onnx') return { kind, folder: folder === undefined ? undefined : resolve(folder) };
  if (kind === 'ollama' && url !== undefined && model !== undefined) return { kind, url, model };
  if (kind === 'openai' && url !== undefined && model !== undefined) {
    return { kind, url, model, apiKey: v.POLICY_EMBEDDER_KEY, dimensions: v.POLICY_EMBEDDER_DIMENSIONS };
  }
  if (kind === 'bedrock' && region !== undefined && dimensions !== undefined) {
    return { kind, region, dimensions, endpoint: url };
  }
  // `retrievalRules` has refused what is incomplete.
  return { kind: kind === 'lsa' ? 'lsa' : 'auto' };
}

function rerankerOf(v: Variables): RerankerWish {
  const { POLICY_RERANKER: kind, POLICY_RERANKER_URL: url, POLICY_RERANKER_MODEL: model } = v;
  if (kind === 'remote' && url !== undefined && model !== undefined) {
    return { kind, url, model, apiKey: v.POLICY_RERANKER_KEY };
  }
  return { kind: kind === 'none' ? 'none' : 'auto' };
}

function rewriterOf(v: Variables): RewriterWish {
  const { POLICY_REWRITER: kind, POLICY_REWRITER_URL: url, POLICY_REWRITER_MODEL: model } = v;
  const { POLICY_REWRITER_REGION: at, POLICY_REWRITER_KEY: apiKey } = v;
  if (model === undefined) return { kind: 'none' };
  if (kind === 'bedrock' && at !== undefined) return { kind, region: at, model, endpoint: url };
  if (kind === 'openai' && url !== undefined) return { kind, url, model, apiKey };
  if (kind === 'ollama' && url !== undefined) return { kind, url, model };
  return { kind: 'none' };
}

function titanDimensions(v: Variables): 1024 | 512 | 256 | undefined {
  return TITAN_DIMENSIONS.find((allowed) => allowed === (v.POLICY_EMBEDDER_DIMENSIONS ?? 1024));
}
