/** Couriers whose numbers are recognised. `s10`: the postal services of the world, by the Universal Postal Union. */
const COURIERS = [
  'amazon',
  'canada_post',
  'canpar',
  'dhl',
  'dpd',
  'fedex',
  'gofo',
  'japanpost',
  'landmark',
  'lasership',
  'old_dominion',
  'ontrac',
  'purolator',
  's10',
  'sagawa',
  'speedee',
  'ups',
  'usps',
  'yamato',
  'yodel',
  'yunexpress',
] as const;
export type Courier = (typeof COURIERS)[number];

/** Names under which shops and people write them, beside the courier's own key. */
const NAMES: readonly (readonly [Courier, readonly string[]])[] = [
  ['fedex', ['fedexexpress', 'fedexground', 'federalexpress']],
  ['japanpost', ['jppost', 'yupack', '日本郵便', 'ゆうパック']],
  ['sagawa', ['sagawaexpress', '佐川急便', '佐川']],
  ['ups', ['unitedparcelservice']],
  ['usps', ['unitedstatespostalservice', 'uspostalservice']],
  ['yamato', ['yamatotransport', 'kuronekoyamato', 'taqbin', 'ヤマト運輸', 'ヤマト', 'クロネコヤマト']],
];

const COURIER_OF = new Map<string, Courier>([
  ...COURIERS.map((courier) => [plain(courier), courier] as const),
  ...NAMES.flatMap(([courier, names]) => names.map((name) => [plain(name), courier] as const)),
]);

/** The courier of this name, however it is spaced and written. */
export function carrierNamed(name: string): Courier | undefined {
  return COURIER_OF.get(plain(name));
}

function plain(name: string): string {
  return name
    .slice(0, 100)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}
