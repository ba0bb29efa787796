import type { PolicyIndex } from '../domain/policies.ts';
import { openEmbeddedIndex } from './embedded/embedded-index.ts';
import { openOpenSearchIndex } from './opensearch/opensearch-index.ts';

/** OpenSearch, where there is one; else the index inside this process, kept in `folder`. */
export function openPolicyIndex(url: string | undefined, folder: string): PolicyIndex {
  return url === undefined ? openEmbeddedIndex({ folder }) : openOpenSearchIndex({ url });
}
