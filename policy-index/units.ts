import type { Block, Span } from './sections.ts';

export type Limits = {
  readonly ceiling: number;
  readonly overlap: number;
  readonly count: (text: string) => number;
};

/** A chunk's place, and what is indexed before it because it continues a table or a list. */
export type Piece = Span & { readonly repeated: string };

/** A stretch that is only parted when it alone is above the ceiling. */
type Unit = Span & {
  readonly tokens: number;
  readonly lead: Span | undefined;
  /** Of the lead, if a piece has to say it again. */
  readonly leadTokens: number;
  /** Rows, items and lists: repeated whole at the start of the next piece, or not at all. */
  readonly isWhole: boolean;
};

const SENTENCE_END = /(?<=[.!?][)"'’”]?)\s+|(?<=[。！？][」』）]?)|\n+/u;
const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[^\s\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]+/gu;
/** Tokens are counted in stretches of at most this many characters: a word may be a megabyte long. */
const LONGEST_WORD = 200;

/** Fills pieces up to the ceiling. A further piece of the same section begins with the last tokens of the one before. */
export function packUnits(blocks: readonly Block[], text: string, limits: Limits): readonly Piece[] {
  const pieces: Piece[] = [];
  let filled: Unit[] = [];
  let tokens = 0;
  for (const unit of blocks.flatMap((block) => unitsOf(block, text, limits))) {
    const last = filled.at(-1);
    // Blocks with something unseen between them are not one quotation.
    const isNext = last !== undefined && text.slice(last.end, unit.start).trim() === '';
    if (!isNext || tokens + unit.tokens + unit.leadTokens > limits.ceiling) {
      if (last) pieces.push(pieceOf(filled, text));
      filled = isNext ? overlapOf(filled, unit, text, limits) : [];
      tokens = filled.reduce((sum, each) => sum + each.tokens, 0);
    }
    filled.push(unit);
    tokens += unit.tokens;
  }
  if (filled.length > 0) pieces.push(pieceOf(filled, text));
  return pieces;
}

function pieceOf(units: readonly Unit[], text: string): Piece {
  const [start, end] = [units[0]?.start ?? 0, units.at(-1)?.end ?? 0];
  const lead = units.find((unit) => unit.lead)?.lead;
  const isInside = lead === undefined || (lead.start >= start && lead.end <= end);
  return { start, end, repeated: isInside ? '' : text.slice(lead.start, lead.end).trim() };
}

/** The end of a piece that the next one repeats, never so much that what comes next would not fit. */
function overlapOf(
  units: readonly Unit[],
  next: Unit,
  text: string,
  { ceiling, overlap, count }: Limits,
): Unit[] {
  let room = Math.min(overlap, ceiling - next.tokens - next.leadTokens);
  const repeated: Unit[] = [];
  for (const unit of [...units].reverse()) {
    if (unit.tokens <= room) {
      repeated.unshift(unit);
      room -= unit.tokens;
      continue;
    }
    const words = unit.isWhole ? [] : lastWords(unit, text, room, count);
    const first = words[0];
    if (first)
      repeated.unshift({ ...unit, start: first.start, tokens: count(text.slice(first.start, unit.end)) });
    break;
  }
  return repeated;
}

function lastWords(span: Span, text: string, room: number, count: Limits['count']): readonly Span[] {
  const words = wordsOf(span, text);
  let tokens = 0;
  let from = words.length;
  while (from > 0) {
    const word = words[from - 1];
    tokens += word ? count(text.slice(word.start, word.end)) : 0;
    if (tokens > room) break;
    from -= 1;
  }
  return words.slice(from);
}

function unitsOf(block: Block, text: string, limits: Limits): readonly Unit[] {
  const { ceiling, count } = limits;
  const whole = unitOf(block, text, count);
  if (whole.tokens <= ceiling) return [{ ...whole, isWhole: block.parts.length > 0 }];
  if (block.parts.length === 0) return sentencesOf(block, text, limits);
  const leadTokens = block.lead ? count(text.slice(block.lead.start, block.lead.end)) : 0;
  // A header that takes most of a piece is not said again.
  const isRepeated = leadTokens <= ceiling / 4;
  const carried = isRepeated ? { lead: block.lead, leadTokens } : { lead: undefined, leadTokens: 0 };
  return block.parts.flatMap((part) => {
    const unit = unitOf(part, text, count);
    if (unit.tokens + carried.leadTokens > ceiling) return sentencesOf(part, text, limits);
    return [{ ...unit, ...carried, isWhole: true }];
  });
}

function unitOf({ start, end }: Span, text: string, count: Limits['count']): Unit {
  return {
    start,
    end,
    tokens: count(text.slice(start, end)),
    lead: undefined,
    leadTokens: 0,
    isWhole: false,
  };
}

/** Sentences, and of one that does not fit either, as many words as do. */
function sentencesOf(span: Span, text: string, limits: Limits): readonly Unit[] {
  return sentenceSpans(span, text).flatMap((sentence) => {
    const unit = unitOf(sentence, text, limits.count);
    return unit.tokens <= limits.ceiling ? [unit] : runsOfWords(sentence, text, limits);
  });
}

function sentenceSpans(span: Span, text: string): readonly Span[] {
  const spans: Span[] = [];
  let start = span.start;
  for (const sentence of text.slice(span.start, span.end).split(SENTENCE_END)) {
    const at = text.indexOf(sentence, start);
    if (sentence.trim() !== '') spans.push({ start: at, end: at + sentence.length });
    start = at + sentence.length;
  }
  return spans;
}

function runsOfWords(span: Span, text: string, { ceiling, count }: Limits): readonly Unit[] {
  const runs: Unit[] = [];
  for (const word of wordsOf(span, text)) {
    const unit = unitOf(word, text, count);
    const run = runs.at(-1);
    if (!run || run.tokens + unit.tokens > ceiling) runs.push(unit);
    else runs[runs.length - 1] = { ...run, end: unit.end, tokens: run.tokens + unit.tokens };
  }
  return runs;
}

function wordsOf(span: Span, text: string): Span[] {
  const words: Span[] = [];
  for (const { 0: word, index } of text.slice(span.start, span.end).matchAll(WORD)) {
    for (let at = 0; at < word.length; at += LONGEST_WORD) {
      const start = span.start + index + at;
      words.push({ start, end: Math.min(start + LONGEST_WORD, span.start + index + word.length) });
    }
  }
  return words;
}
