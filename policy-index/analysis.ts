import { stemmer } from 'stemmer';
import { STOP_WORDS } from './stop-words.ts';

/** Changes whenever the same text may give other terms: an index of another version must be built again. */
export const ANALYSIS_VERSION = 'policy-text-1';

/** Lucene's `max_token_length`: what is longer is cut into pieces of this many code units. */
const MAX_TOKEN_LENGTH = 255;

/** A question beyond this is cut: every term is a clause, and OpenSearch takes 1,024 of them. */
const QUESTION_CHARACTERS = 1000;

/**
 * The word boundaries of UAX #29 for everything but Chinese, Japanese and Korean; a test holds it to `Intl.Segmenter`,
 * which takes twenty times as long.
 */
const WORD =
  /[\p{L}\p{M}\p{N}_]+(?:(?:(?<=\p{L})['’.·:](?=\p{L})|(?<=\p{N})['’.,;](?=\p{N}))[\p{L}\p{M}\p{N}_]+)*/gu;

const NO_WORD = /^[_\p{M}]*$/u;

const CJK = '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\u30fc\\uff70\\uff9e\\uff9f';
const RUN = new RegExp(`[${CJK}]+|[^${CJK}]+`, 'gu');
const HAS_CJK = new RegExp(`[${CJK}]`, 'u');
const FULL_OR_HALF_WIDTH = /[\uff01-\uff5e\uff65-\uff9f]+/g;

const stops = new Set(STOP_WORDS);
const stems = new Map<string, string>();
/** A document of random letters must not fill the memory. */
const STEMS_KEPT = 100_000;

/**
 * The terms of a text, in order, as OpenSearch gives them with `ANALYZER`: standard tokenizer, width, English
 * possessive, lower case, bigrams of adjacent Chinese, Japanese or Korean characters, stop words, Porter's stemmer.
 */
export function analyse(text: string): string[] {
  if (!HAS_CJK.test(text)) return words(text);
  const terms: string[] = [];
  for (const [run] of text.matchAll(RUN)) {
    for (const term of HAS_CJK.test(run) ? bigrams(widened(run)) : words(run)) terms.push(term);
  }
  return terms;
}

/** As much of a question as both engines search by. */
export function askedText(text: string): string {
  return text.slice(0, QUESTION_CHARACTERS);
}

function words(text: string): string[] {
  const terms: string[] = [];
  for (const token of widened(text).match(WORD) ?? []) {
    for (let at = 0; at < token.length; at += MAX_TOKEN_LENGTH) {
      const word = token
        .slice(at, at + MAX_TOKEN_LENGTH)
        .replace(/['’][sS]$/, '')
        .toLowerCase();
      if (!stops.has(word) && !NO_WORD.test(word)) terms.push(stem(word));
    }
  }
  return terms;
}

/** Adjacent pairs; a character that stands alone is its own term. */
function bigrams(run: string): string[] {
  const characters = Array.from(run);
  if (characters.length === 1) return characters;
  return characters.slice(1).map((second, index) => `${characters[index] ?? ''}${second}`);
}

function widened(text: string): string {
  return text.replace(FULL_OR_HALF_WIDTH, (stretch) => stretch.normalize('NFKC'));
}

function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const found = stemmer(word);
  if (stems.size < STEMS_KEPT) stems.set(word, found);
  return found;
}

/** The same analysis, as the settings of an OpenSearch index. */
export const ANALYZER = {
  analyzer: {
    policy_text: {
      type: 'custom',
      tokenizer: 'standard',
      filter: ['cjk_width', 'policy_possessive', 'lowercase', 'cjk_bigram', 'policy_stop', 'porter_stem'],
    },
  },
  filter: {
    policy_possessive: { type: 'stemmer', language: 'possessive_english' },
    policy_stop: { type: 'stop', stopwords: STOP_WORDS },
  },
} as const;
