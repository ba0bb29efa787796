import { createHash } from 'node:crypto';
import { PolicyIndexError, type Chunk, type PolicyDocument, type Tokenizer } from '../domain/policies.ts';
import { readSections } from './sections.ts';
import { packUnits } from './units.ts';
import { SANITIZER_VERSION } from './sanitize.ts';

const RULES = 'sections-1';
const CEILING_TOKENS = 512;
const OVERLAP_TOKENS = 64;
/** Of the ceiling, for title and section path: a chunk that is all heading says nothing. */
const MOST_HEADING_TOKENS = 96;
/** Characters. A tokenizer may call a megabyte without a space one unknown word; nobody reads it as one. */
const LONGEST_TOKEN = 24;
/** Comments, and characters that are not seen: they would part the words they stand in, or bring in others. */
const UNSEEN =
  /<!--[\s\S]*?(?:-->|$)|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** How documents are cut with this tokenizer; a part of `IndexFingerprint`. */
export function chunkerFingerprint(tokenizer: Tokenizer): string {
  return `${RULES}/${SANITIZER_VERSION}/${ceilingOf(tokenizer)}/${OVERLAP_TOKENS}/${tokenizer.name}`;
}

/**
 * Cuts a document along its structure: a chunk never spans two sections; rows of a table, items of a list and
 * sentences stay whole; a list stays together with the line that introduces it as long as it fits. Within a section
 * that does not fit, a chunk begins with the end of the one before.
 *
 * The same document gives the same chunks. An empty document gives none.
 */
export function chunkDocument(document: PolicyDocument, tokenizer: Tokenizer): readonly Chunk[] {
  const chunks: Chunk[] = [];
  const count = (text: string) =>
    Math.max(tokenizer.countTokens(visible(text)), Math.ceil(text.length / LONGEST_TOKEN));
  for (const section of readSections(document.text)) {
    const heading = headingWithin(headingOf(document.title, section.path), count);
    const ceiling = ceilingOf(tokenizer) - count(heading);
    const pieces = packUnits(section.blocks, document.text, { ceiling, overlap: OVERLAP_TOKENS, count });
    for (const { start, end, repeated } of pieces) {
      const text = document.text.slice(start, end);
      const ordinal = chunks.length;
      const { tenant, docId, docVersion, title, sourceUrl, kind } = document;
      const { audience, language, effectiveFrom, effectiveTo } = document;
      chunks.push({
        id: chunkId(document, start, end),
        tenant,
        docId,
        docVersion,
        title,
        sourceUrl,
        kind,
        audience,
        language,
        effectiveFrom,
        effectiveTo,
        ordinal,
        start,
        end,
        headingPath: section.path,
        text,
        indexText: visible([heading, repeated, text].filter((part) => part !== '').join('\n\n')),
      });
    }
  }
  return chunks;
}

/**
 * Whether the chunk still says what its document says: for citations, which quote nothing that cannot be found.
 * @throws {PolicyIndexError} corrupt
 */
export function assertQuoted(chunk: Chunk, text: string): void {
  if (text.slice(chunk.start, chunk.end) === chunk.text) return;
  throw new PolicyIndexError('corrupt', `A passage of ${chunk.docId} is not in its stored version.`);
}

function ceilingOf({ maxTokens }: Tokenizer): number {
  return Math.min(CEILING_TOKENS, maxTokens);
}

function headingOf(title: string, path: readonly string[]): string {
  // The first heading is often the title again.
  const parts = path[0] === title ? path : [title, ...path];
  return parts.filter((part) => part !== '').join(' > ');
}

/** As many words of it as a heading may take. */
function headingWithin(heading: string, count: (text: string) => number): string {
  if (count(heading) <= MOST_HEADING_TOKENS) return heading;
  let room = MOST_HEADING_TOKENS;
  const kept = heading.split(/\s+/).filter((word) => (room -= count(word)) >= 0);
  return kept.join(' ');
}

function visible(text: string): string {
  return text.replace(UNSEEN, '');
}

function chunkId({ tenant, docId, docVersion }: PolicyDocument, start: number, end: number): string {
  const name = JSON.stringify([RULES, tenant, docId, docVersion, start, end]);
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}
