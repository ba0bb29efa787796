import type { Locale } from '../../domain/order-messages.ts';

export type AnswerStatus = 'answered' | 'partial' | 'ambiguous' | 'not_found' | 'stale';

/** What the search could not do: look by meaning, or look in its index. */
export type SearchLimit = 'lexical' | 'copy';

/** It asks for what the live tools know. */
type Elsewhere = 'live';

/** Constants only: what a document says stands in its quotation, and nowhere else. */
const WORDS: Readonly<Record<Locale, Readonly<Record<AnswerStatus | SearchLimit | Elsewhere, string>>>> = {
  en: {
    answered: 'The published policies say this. Quote it; do not add to it.',
    partial: 'These passages come near the question and may not answer it. Do not infer the rest.',
    ambiguous: 'Several policies could be meant. Ask which one; each is quoted below.',
    not_found: 'The published policies do not cover this question. Do not infer an answer.',
    stale:
      'No policy is quoted: the sources could not be verified within the last 24 hours, so what is known may be out of date. Do not infer an answer; read the published document.',
    lexical: 'Searched by words alone; a passage in other words may have been missed.',
    copy: 'The policy index does not answer: a copy of the published policies was searched, by words alone. A passage in other words may have been missed.',
    live: 'It asks for live data, which no policy holds. Ask:',
  },
  ja: {
    answered: '公開されている規約には次のとおり記載されています。引用してください。補足はしないでください。',
    partial: '質問に近い記載ですが、答えになっていない可能性があります。残りを推測しないでください。',
    ambiguous: '複数の規約が考えられます。どれについての質問か確認してください。それぞれを以下に引用します。',
    not_found: '公開されている規約には、この質問についての記載がありません。答えを推測しないでください。',
    stale:
      '過去24時間以内に原本を確認できなかったため、規約を引用しません。内容が古い可能性があります。推測せず、公開されている文書をご覧ください。',
    lexical: '語句のみで検索しました。別の表現の記載を見落とした可能性があります。',
    copy: '規約の検索システムが応答しないため、公開されている規約の写しを語句のみで検索しました。別の表現の記載を見落とした可能性があります。',
    live: '規約にはない最新の情報についての質問です。次のツールで確認してください:',
  },
};

export function wordsFor(
  status: AnswerStatus,
  locale: Locale,
  ...more: readonly (SearchLimit | Elsewhere | undefined)[]
): string {
  const words = WORDS[locale];
  return [status, ...more].flatMap((one) => (one === undefined ? [] : words[one])).join(' ');
}

const KANA = /[\p{sc=Hiragana}\p{sc=Katakana}]/u;
const HAN = /\p{sc=Han}/u;

/** The language somebody writes in, of those that are spoken here. */
export function languageOf(text: string): Locale {
  return KANA.test(text) || HAN.test(text) ? 'ja' : 'en';
}
