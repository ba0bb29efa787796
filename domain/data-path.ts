/** Data of which only the live tools know the present state. */
export const LIVE_TOPICS = ['orders', 'stock', 'prices', 'shipping'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/**
 * Where the answer to a question is: what changes by the minute is read live, what is laid down is looked up in the
 * policies (document 000, "Data type?").
 */
export type Route = {
  readonly path: 'live' | 'policy';
  /** Live data that it asks for as well, or instead. */
  readonly topics: readonly LiveTopic[];
};

const PARCEL = String.raw`(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?|pre-?orders?)`;
/** What the shop does for its price is laid down; only what it sells has a price of the minute. */
const SERVICES = String.raw`(?:shipping|deliver\w*|postage|returns?|refunds?|fees?|customs?|parcels?|packages?|wrap\w*|labels?|tiers?|members?\w*)`;
const GOODS = String.raw`(?:books?|mangas?|volumes?|vols?\b\.?|box sets?|cop(?:y|ies)|series|titles?|items?)`;

/** Of each topic, what is said when its present state is meant. English and Japanese. */
const SAID_OF: Readonly<Record<LiveTopic, readonly RegExp[]>> = {
  orders: [
    // One certain order: whatever is asked of it, its state matters.
    new RegExp(String.raw`\b${PARCEL}\s*(?:no\.?|number|id)?\s*[#:]?\s*[a-z]{0,4}-?\d{3,}`, 'u'),
    /#\d{4,}/u,
    new RegExp(String.raw`\bwhere(?:'s|’s| is| are)\b.{0,60}\b(?:${PARCEL}|my\b)`, 'u'),
    new RegExp(String.raw`\b(?:status|whereabouts)\b.{0,40}\b${PARCEL}\b`, 'u'),
    new RegExp(String.raw`\b${PARCEL} (?:status|history)\b`, 'u'),
    new RegExp(String.raw`^\W*(?:please )?track\b.{0,40}\b(?:${PARCEL}|\d{6,})`, 'u'),
    new RegExp(
      String.raw`\b(?:has|have|is|was|did)\b.{0,60}\b${PARCEL}\b.{0,60}\b(?:shipped|sent|arrived|left|delivered|ship|arrive|go out)\b`,
      'u',
    ),
    /\bhave you (?:already )?(?:sent|shipped|dispatched)\b/u,
    new RegExp(
      String.raw`\bwhen (?:will|does|do|is|are)\b.{0,20}\bmy\b.{0,60}\b(?:arrive|come|delivered|get here|ship)\b`,
      'u',
    ),
    /\bmy (?:\w+ )?(?:last|latest|recent|previous|past|open)\b.{0,20}\borders?\b/u,
    /\bwhat (?:have i|did i) (?:order|buy|bought)/u,
    /注文(?:番号)?\s*[#:：]?\s*\d{3,}/u,
    /(?:注文|荷物|商品|配送|配達)(?:した|の)?.{0,12}(?:どこ|状況|いつ(?:届|着|来)|届いて|発送され(?:まし|て))/u,
    /注文(?:の)?(?:履歴|一覧)/u,
  ],
  stock: [
    /\b(?:in|out of|back in) stock\b/u,
    /\bsold out\b/u,
    new RegExp(String.raw`\bhow many\b.{0,60}\b(?:left|in stock|remain(?:ing)?|do you have|on hand)\b`, 'u'),
    new RegExp(
      String.raw`\b(?:is|are)\b.{0,60}\b${GOODS}.{0,20}\bavailable\b(?!.{0,20}\b(?:as|in|to|for)\b)`,
      'u',
    ),
    /在庫/u,
    /(?:巻|冊).{0,12}(?:ありますか|残って|入荷)/u,
  ],
  prices: [
    new RegExp(String.raw`\bhow much (?:is|are|does|do)\b(?!.{0,60}\b${SERVICES}\b)`, 'u'),
    new RegExp(String.raw`\bprices? (?:of|for)\b(?!.{0,20}\b${SERVICES}\b)`, 'u'),
    new RegExp(
      String.raw`\bwhat(?:'s|’s| is| does)\b(?!.{0,80}\b${SERVICES}\b).{0,60}\b(?:price|cost)\b`,
      'u',
    ),
    new RegExp(String.raw`\bis\b.{0,60}\b(?:on sale|discounted|reduced)\b(?=.{0,20}(?:now|today|\?|$))`, 'u'),
    /(?<!送料.{0,8})(?:いくら|値段|価格)(?!.{0,6}(?:送料|保証|変更))/u,
  ],
  shipping: [
    /\bhow (?:long|many days|fast|soon)\b.{0,40}\b(?:deliver|delivery|shipping|ship|arrive|get (?:here|to))/u,
    /\bhow much\b.{0,40}\b(?:shipping|delivery|postage)\b/u,
    /\b(?:shipping|delivery) (?:cost|costs|charge|charges|fee|fees|time|times|estimate)\b/u,
    /送料|(?:配送|配達|お届け).{0,8}(?:何日|日数|どのくらい|いつ)/u,
  ],
};

/** What is said when somebody asks what is allowed, owed or laid down. */
const RULES: readonly RegExp[] = [
  /\b(?:can|could|may|must|should|shall|might) (?:i|we|you|one|my|a|an|the|customers?|somebody|someone)\b/u,
  /\b(?:am i|are we|is it|are customers?) (?:allowed|entitled|able|eligible|possible|ok|okay|too late)\b/u,
  /\b(?:do|will) (?:i|we) (?:have to|need|get|lose|pay|still)\b/u,
  /\bwhat (?:happens|if|about)\b/u,
  /\bhow long do (?:i|we)\b/u,
  /\b(?:polic(?:y|ies)|rules?|terms|conditions|rights?|allowed|eligible|entitled|guarantee[ds]?|warranty|deadline)\b/u,
  /\b(?:returns?|returned|returning|refund(?:s|ed)?|cancel(?:s|led|lation|lations)?|exchanges?|exchanged|compensat\w+|claims?)\b/u,
  /\b(?:if|when|whenever|unless) (?:my|i|a|an|the|something|it)\b.{0,80}\b(?:lost|damaged|late|missing|wrong|broken|fails?|sold out|unavailable|delayed)\b/u,
  /\b(?:must|charged?|match(?:es|ing)?|free shipping|express|standard)\b/u,
  /(?:できますか|できません|可能|してもいい|返品|返金|キャンセル|取り?消|交換|規約|規定|ポリシー|期限|条件|場合|手数料|保証|補償|必要ですか|何日以内|いつまで)/u,
];

/** Reads signs of language, no model: the same question always goes the same way. */
export function routeOf(question: string): Route {
  const asked = question.normalize('NFKC').toLowerCase();
  const topics = LIVE_TOPICS.filter((topic) => SAID_OF[topic].some((sign) => sign.test(asked)));
  // What shipping costs and how long it takes stands in the policies as well.
  const isOfNow = topics.some((topic) => topic !== 'shipping');
  const isOfRules = !isOfNow || RULES.some((sign) => sign.test(asked));
  return { path: isOfRules ? 'policy' : 'live', topics };
}
