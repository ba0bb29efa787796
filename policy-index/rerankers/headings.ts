import type { Reranker } from '../../domain/policies.ts';
import { analyse, askedText } from '../analysis.ts';

/** Measured on two sets: more of it helps the one and costs the other. */
const WEIGHT = 0.2;

/**
 * A second look without a model: how much of a passage's heading is asked about. A heading that the question names in
 * full says that its section is about just that.
 */
export function createHeadingReranker(): Reranker {
  return {
    name: 'headings/1',
    weight: WEIGHT,
    rerank: async (question, passages) => {
      const asked = new Set(analyse(askedText(question)));
      return passages.map(({ text }) => shareOf(asked, headingOf(text)));
    },
  };
}

/** The index text begins with title and section path, and then a blank line. */
function headingOf(text: string): string {
  return text.slice(0, Math.max(text.indexOf('\n\n'), 0));
}

function shareOf(asked: ReadonlySet<string>, heading: string): number {
  const terms = new Set(analyse(heading));
  return terms.size === 0 ? 0 : [...terms].filter((term) => asked.has(term)).length / terms.size;
}
