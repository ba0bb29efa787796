/** A passage at or above this is marked for whoever reads it. The mark changes nothing else. */
export const SUSPICIOUS = 0.5;

type Sign = readonly [weight: number, pattern: RegExp];

/** Written to a machine rather than to a customer. Independent signs add up; none of them proves anything. */
const SIGNS: readonly Sign[] = [
  [
    0.8,
    /\b(ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(previous|prior|above|earlier|all|any|your|these|other|preceding)\b.{0,30}\b(instruction|prompt|rule|polic|guideline|direction|context|message|constraint|command)/,
  ],
  [
    0.7,
    /\b(system|developer|hidden|initial)[ -]?(prompt|message|instructions?)\b|\bsystem override\b|\b(admin|developer|debug|god|dan)[ -]mode\b/,
  ],
  [0.7, /^\W*(system|assistant|developer|tool|user|human|ai)\W{0,3}:/m],
  [
    0.8,
    /<\|?\/?(im_start|im_end|system|assistant|tool_call|function_call|tool_result|endoftext)|\[\/?inst\]|<<sys>>|###\s*(system|instruction|response)/,
  ],
  [
    0.6,
    /\byou are (now|no longer|an? (ai|assistant|language model|helpful))\b|\bact as\b|\bpretend (to be|that)\b|\bfrom now on\b/,
  ],
  [
    0.7,
    /\b(call|invoke|run|execute|use|trigger)\b.{0,30}\b(tool|function|create_reorder|approve_return|release_hold|resolve_claim|reroute_driver|cancel_action|initiate_return)\b/,
  ],
  [0.6, /\b(create_reorder|approve_return|release_hold|resolve_claim|reroute_driver|initiate_return)\b/],
  [0.6, /"(tool|name|function|method|tool_calls?|arguments|jsonrpc|decision|status|approved_by)"\s*:/],
  [
    0.7,
    /\b(do not|don't|never|without)\b.{0,25}\b(tell|mention|inform|telling|mentioning|informing|reveal to|show)\b.{0,25}\b(user|customer|human|person|anyone|operator|them)\b/,
  ],
  [
    0.6,
    /\b(ai|assistants?|language models?|llms?|chatbots?|agents?|bots?)\b.{0,40}\b(must|should|shall|has to|have to|is to|are to|reading this|may now|reads this|needs? to)\b/,
  ],
  [
    0.6,
    /\b(approval|approved|pre-?approved|countersigned|authori[sz]ed)\b.{0,60}\b(already|automatically|no (further|human)|not (needed|required)|by (the )?(system|ceo|admin|management|finance))/,
  ],
  [
    0.6,
    /\b(reveal|print|repeat|output|show|disclose|send|append|include|leak)\b.{0,40}\b(prompt|instructions|secret|token|password|api[ -]?key|credential|conversation|chat history|context|e-?mail address)/,
  ],
  [0.5, /https?:\/\/\S*(\?|&)\w*=?\{?\{?(data|q|query|secret|token|conversation|email|order|history)/],
  [0.4, /\bhttps?:\/\/|\bdata:text\/|\bjavascript:/],
  [0.4, /\b(respond|reply|answer)\b.{0,20}\b(only|always|exactly|with the (following|words?)|in json)\b/],
  [
    0.4,
    /\b(important|urgent|attention|note)\b.{0,20}\b(to|for)\b.{0,15}\b(ai|assistants?|models?|llms?|agents?|bots?)\b/,
  ],
  [0.4, /\b(source|citation|doc_version|verified)\s*[:=]\s*("?verified|policy:\/\/|\d+-[0-9a-f]{12})/],
  [0.5, /[A-Za-z0-9+/]{60,}={0,2}/],
  [0.8, /(指示|命令|ルール|規則|プロンプト|制約).{0,12}(無視|忘れ|破棄|上書き|従わない)/],
  [0.7, /システム(プロンプト|メッセージ|指示)|開発者モード|管理者モード/],
  [0.7, /(ツール|関数|create_reorder|approve_return).{0,15}(呼び出|実行|使っ|使用)/],
  [
    0.7,
    /(ai|アシスタント|エージェント|モデル|チャットボット).{0,20}(必ず|せよ|しなさい|してください|従え|従って|出力)/,
  ],
  [0.7, /(承認|確認).{0,8}(不要|済み|省略|なしで)|(自動|すでに|既に).{0,6}承認/],
  [0.7, /(利用者|ユーザー|お客様|顧客|客).{0,6}(に|には).{0,6}(伝え|知らせ|教え|話)(ない|ず|るな)/],
  [0.6, /(パスワード|トークン|秘密|会話(履歴)?|プロンプト).{0,12}(出力|表示|送信|送れ|開示|教え)/],
];

/** How much a passage reads like orders to a machine: 0 (not at all) to 1. A sign for people, never a control. */
export function instructionLikelihood(text: string): number {
  const plain = decoded(text).normalize('NFKC').toLowerCase();
  const innocence = SIGNS.reduce(
    (left, [weight, sign]) => (sign.test(plain) ? left * (1 - weight) : left),
    1,
  );
  return Math.round((1 - innocence) * 1000) / 1000;
}

/** Character references are a way to write past a filter. */
function decoded(text: string): string {
  return text.replace(/&#(x[0-9a-f]{1,6}|\d{1,7});/gi, (whole, digits: string) => {
    const code = digits.startsWith('x') || digits.startsWith('X') ? `0${digits}` : digits;
    const point = Number(code);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
