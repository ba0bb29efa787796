import { createHash } from 'node:crypto';
import { parseDocument as parseYaml } from 'yaml';
import type { PolicyDocument } from '../domain/policies.ts';
import type { PolicyProblemCode } from '../domain/policy-source.ts';
import { frontMatter, type FrontMatter } from './front-matter.ts';
import { sanitize, type Visible } from './sanitize.ts';

/** More is no policy: refused by its size alone, before it is read. */
export const MOST_BYTES = 256 * 1024;

const MOST_FRONT_MATTER = 8 * 1024;
/** Of one stretch without a blank line; Markdown takes quadratic time in its brackets and stars. */
const MOST_MARKS = 2000;
/** Of one document, for the same reason. */
const MOST_QUOTED_LINES = 400;
const MOST_LIST_ITEMS = 5000;
const QUOTED_LINE = /^[ \t*+\-\d.)]*>/gm;
const LIST_ITEM = /^[ \t>]*(?:[*+-]|\d{1,9}[.)])[ \t]/gm;
const DEEPLY_NESTED = /^(?:[ \t]*(?:>|[*+-][ \t]|\d{1,9}[.)][ \t])){24,}/m;

/** A document that cannot be published. The message names fields and rules, never what the document says. */
export class DocumentProblem extends Error {
  readonly code: PolicyProblemCode;

  constructor(code: PolicyProblemCode, message: string) {
    super(message);
    this.name = 'DocumentProblem';
    this.code = code;
  }
}

/** One file's content, before it is known where it stands among its versions. */
export type ReadDocument = {
  readonly front: FrontMatter;
  /** First 12 hex digits of the SHA-256 of the bytes: front matter counts, too, since it says when and for whom. */
  readonly contentHash: string;
  /** What a reader sees; `PolicyDocument.text`. */
  readonly visible: Visible;
};

/** The same bytes give the same document. @throws {DocumentProblem} */
export function readDocument(bytes: Uint8Array): ReadDocument {
  if (bytes.byteLength > MOST_BYTES)
    throw new DocumentProblem('too_large', `A policy has at most ${MOST_BYTES / 1024} KiB.`);
  const { yaml, body } = split(decode(bytes));
  const front = readFrontMatter(yaml);
  assertReadable(body);
  const visible = sanitize(body);
  if (!/[\p{L}\p{N}]/u.test(visible.text))
    throw new DocumentProblem('empty', 'Nothing in it is visible to a reader.');
  return { front, visible, contentHash: contentHash(bytes) };
}

export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}

/** As a version of its document: the `sequence`-th, holding until `effectiveTo`. */
export function asPolicy(
  { front, contentHash: hash, visible }: ReadDocument,
  sequence: number,
  effectiveTo: string | null,
): PolicyDocument {
  return {
    tenant: front.tenant,
    docId: front.id,
    docVersion: `${sequence}-${hash}`,
    title: front.title,
    sourceUrl: front.url,
    kind: front.kind,
    audience: front.audience,
    language: front.language,
    effectiveFrom: front.effective_from,
    effectiveTo,
    text: visible.text,
  };
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DocumentProblem('not_text', 'It is not UTF-8 text.');
  }
  if (text.includes('\0')) throw new DocumentProblem('not_text', 'It is not text: it holds zero bytes.');
  return text.replace(/\r\n?/g, '\n');
}

function split(text: string): { readonly yaml: string; readonly body: string } {
  if (text.trim() === '') throw new DocumentProblem('empty', 'The file is empty.');
  const end = text.indexOf('\n---', 3);
  const closing = /^\n---[ \t]*(?:\n|$)/.exec(text.slice(end, end + 200));
  if (!/^---[ \t]*\n/.test(text) || end === -1 || closing === null)
    throw new DocumentProblem(
      'front_matter',
      'It does not begin with front matter between two lines of ---.',
    );
  const yaml = text.slice(text.indexOf('\n') + 1, end + 1);
  if (yaml.length > MOST_FRONT_MATTER)
    throw new DocumentProblem(
      'front_matter',
      `Its front matter is longer than ${MOST_FRONT_MATTER} characters.`,
    );
  return { yaml, body: text.slice(end + closing[0].length) };
}

function readFrontMatter(yaml: string): FrontMatter {
  const parsed = parseYaml(yaml, { schema: 'core', uniqueKeys: true, prettyErrors: false });
  const first = parsed.errors[0];
  if (first !== undefined)
    throw new DocumentProblem('front_matter', `Its front matter is not YAML (${first.code}).`);
  const checked = frontMatter.safeParse(valueOf(parsed));
  if (checked.success) return checked.data;
  const problems = new Set(
    checked.error.issues.map(({ path, code, message }) => explain(path, code, message)),
  );
  throw new DocumentProblem('front_matter', `Its front matter is wrong: ${[...problems].join('; ')}.`);
}

function valueOf(parsed: ReturnType<typeof parseYaml>): unknown {
  try {
    return parsed.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new DocumentProblem('front_matter', 'Its front matter uses YAML aliases.');
  }
}

/** Names of fields are ours; an unknown one is the author's and is not repeated. */
function explain(path: readonly PropertyKey[], code: string, message: string): string {
  if (code === 'unrecognized_keys')
    return `it has fields that are not among ${Object.keys(frontMatter.shape).join(', ')}`;
  return path.length === 0 ? 'it is not a list of fields' : `${String(path[0])}: ${message}`;
}

function assertReadable(body: string): void {
  const tangled =
    count(body, QUOTED_LINE) > MOST_QUOTED_LINES ||
    count(body, LIST_ITEM) > MOST_LIST_ITEMS ||
    body.split(/\n[ \t]*\n/).some((stretch) => count(stretch, /[[*_`]/g) > MOST_MARKS);
  if (tangled || DEEPLY_NESTED.test(body))
    throw new DocumentProblem('tangled', 'Its Markdown is nested or bracketed beyond what a page can show.');
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
