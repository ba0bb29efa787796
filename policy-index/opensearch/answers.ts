import { z } from 'zod';
import { AUDIENCES, type HitScores, type PolicyHit, type SearchMode } from '../../domain/policies.ts';
import { dot } from '../unit.ts';
import { LEXICAL, NEVER } from './requests.ts';

export const ANY = z.unknown();

/** Kept in the mapping's `_meta`. */
export const META = z.object({
  made_by: z.literal('countersign'),
  fingerprint: z.object({ embedder: z.string(), dimensions: z.number(), chunker: z.string() }),
  analysis: z.string(),
  created_at: z.string(),
  sealed: z.boolean(),
  /** Known once it is sealed. */
  chunks: z.number().optional(),
});
export type Meta = z.output<typeof META>;

const DESCRIBED = z.object({ mappings: z.object({ _meta: META }) });
export const INDICES = z.record(z.string(), z.unknown()).transform((indices) =>
  Object.entries(indices).flatMap(([name, described]) => {
    const ours = DESCRIBED.safeParse(described);
    return ours.success ? [{ name, meta: ours.data.mappings._meta }] : [];
  }),
);

export const ALIASES = z.record(z.string(), z.object({ aliases: z.record(z.string(), z.unknown()) }));

export const BULK = z.object({
  errors: z.boolean(),
  items: z.array(
    z.object({ index: z.object({ error: z.object({ type: z.string() }).optional() }).optional() }),
  ),
});

export const CHANGED = z.object({ deleted: z.number().optional(), updated: z.number().optional() });

export const IDS = z.object({
  hits: z.object({ hits: z.array(z.object({ sort: z.tuple([z.string()]) })) }),
});

const CHUNK = z.object({
  id: z.string(),
  tenant: z.string(),
  docId: z.string(),
  docVersion: z.string(),
  title: z.string(),
  sourceUrl: z.string(),
  kind: z.string(),
  audience: z.enum(AUDIENCES),
  language: z.string(),
  effectiveFrom: z.string().nullable(),
  effectiveTo: z.string().nullable(),
  ordinal: z.number(),
  start: z.number(),
  end: z.number(),
  headingPath: z.array(z.string()),
  text: z.string(),
  indexText: z.string(),
});

const STORED = z.object({
  chunk: CHUNK,
  verified_at: z.number(),
  superseded_at: z.number(),
  vector_bytes: z.string(),
});

const FAILED = z.object({ status: z.number(), error: z.object({ type: z.string() }) });
/** Names with their scores; a list of names where no scores were asked for. */
const NAMED = z
  .union([
    z.object({ [LEXICAL]: z.number().optional() }),
    z.array(z.string()).transform((): { readonly [LEXICAL]?: number } => ({})),
  ])
  .optional();

/** Of one side: chunks with its score. */
export const HITS = z.object({
  hits: z.object({
    hits: z.array(z.object({ _score: z.number(), _source: STORED, matched_queries: NAMED })),
  }),
});

/** Of both: ids with the fused score, and BM25's by its name. */
export const FUSED = z.object({
  hits: z.object({
    hits: z.array(
      z.object({
        _score: z.number(),
        fields: z.object({ chunk_id: z.tuple([z.string()]) }),
        matched_queries: NAMED,
      }),
    ),
  }),
});

const FOUND = z.object({
  hits: z.object({
    hits: z
      .array(z.object({ _score: z.number(), fields: z.object({ chunk_id: z.tuple([z.string()]) }) }))
      .transform((hits) => hits.map(({ _score: score, fields }) => ({ id: fields.chunk_id[0], score }))),
  }),
});
/** Of each side by itself: ids with its score, or why there are none. */
export const SIDES = z.object({
  responses: z.tuple([z.union([FOUND, FAILED]), z.union([FOUND, FAILED])]),
});
export type Side = z.output<typeof SIDES>['responses'][number];

export const COUNT = z.object({ count: z.number() });

export const VERSIONS = z.object({
  aggregations: z.object({
    versions: z.object({
      after_key: z.record(z.string(), z.string()).optional(),
      buckets: z.array(
        z.object({
          key: z.object({ tenant: z.string(), doc_id: z.string(), doc_version: z.string() }),
          doc_count: z.number(),
          verified: z.object({ value: z.number() }),
          superseded: z.object({ value: z.number() }),
        }),
      ),
    }),
  }),
});

export const MODEL_PARTS = z.object({
  hits: z.object({ hits: z.array(z.object({ _source: z.object({ data: z.string(), parts: z.number() }) })) }),
});

type Stored = z.output<typeof STORED>;
export type ReadHit = z.output<typeof HITS>['hits']['hits'][number];

export function hitOf(stored: Stored, scores: HitScores): PolicyHit {
  const { chunk, verified_at: verifiedAt, superseded_at: supersededAt } = stored;
  return {
    chunk,
    scores,
    verifiedAt: new Date(verifiedAt).toISOString(),
    supersededAt: instantOrNever(supersededAt),
  };
}

export function instantOrNever(at: number): string | null {
  return at >= NEVER ? null : new Date(at).toISOString();
}

/** Of a hit that one side found. Lucene's score of a cosine is (1 + cosine) / 2. */
export function oneSided(mode: SearchMode, score: number): HitScores {
  if (mode === 'bm25') return { bm25: score, cosine: null, score };
  return { bm25: null, cosine: 2 * score - 1, score: 2 * score - 1 };
}

export function cosineWith(question: Float32Array, { vector_bytes: bytes }: Stored): number {
  return dot(question, vectorOf(bytes));
}

export function bytesOf(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

export function vectorOf(bytes: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(bytes, 'base64')).buffer);
}
