import type { EmbeddedChunk, PolicyQuery } from '../../domain/policies.ts';

export const FINGERPRINT = { embedder: 'test/3', dimensions: 3, chunker: 'test' };
export const VERIFIED = '2026-11-20T12:00:00.000Z';

/** One chunk of a document of its own. */
export function chunkNumber(number: number): EmbeddedChunk {
  const text = `A refund, case ${number}.`;
  return {
    chunk: {
      id: `chunk-${number}`,
      tenant: 'shop-a',
      docId: `doc-${number}`,
      docVersion: '1-aaaaaaaaaaaa',
      title: 'Refunds',
      sourceUrl: 'https://shop.example/refunds',
      kind: 'returns',
      audience: 'customer',
      language: 'en',
      effectiveFrom: null,
      effectiveTo: null,
      ordinal: 0,
      start: 0,
      end: text.length,
      headingPath: [],
      text,
      indexText: text,
    },
    vector: Float32Array.of(1, number / 100, 0),
  };
}

export function refund(): PolicyQuery {
  const filter = { tenant: 'shop-a', audiences: ['customer'], effectiveAt: '2026-11-21T00:00:00Z' } as const;
  return { text: 'refund', mode: 'bm25', filter, k: 100 };
}
