import type { Courier } from './carrier-names.ts';
import {
  type Check,
  iso7064Mod37x36,
  luhn,
  mod7,
  mod10,
  mod10FromTheEnd,
  s10,
  weighted,
} from './check-digits.ts';
import { isCountry, isCountryNumber } from './countries.ts';

/** A kind of number that a courier gives. */
export type NumberFormat = {
  readonly courier: Courier;
  readonly name: string;
  /** Over the number in capitals without blanks and hyphens. Groups: `serial` and `check`, `country`. */
  readonly shape: RegExp;
  readonly check?: Check;
  /** What the check digit is computed over, where that is not `serial` alone. */
  readonly serialOf?: (serial: string) => string;
  readonly isCountry?: (code: string) => boolean;
  /** Nobody else's numbers look like this, so a wrong check digit is a misread number of this courier. */
  readonly isUnmistakable?: true;
};

/** FedEx and USPS write the destination's ZIP before the number. */
const ZIP = String.raw`(?:420\d{5}(?:\d{4})?)?`;
/** A mailer's id has nine digits when it begins with 9, else six. */
const IMPB_REST = String.raw`\d{3}(?:9\d{8}(?:\d{11}|\d{7})|[0-8]\d{5}(?:\d{14}|\d{10}))`;

const FEDEX_WEIGHTS = [3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1];
const FEDEX_LONG_WEIGHTS = [1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1];

/** OnTrac's letter stands for a digit that is not written. */
const after = (digit: string) => (serial: string) => (serial.startsWith(digit) ? serial : digit + serial);

export const NUMBER_FORMATS: readonly NumberFormat[] = [
  { courier: 'amazon', name: 'Amazon Logistics', shape: /^TB[ACM]\d{12}$/ },
  { courier: 'amazon', name: 'Amazon International', shape: /^[AFC]\d{10}$/ },
  {
    courier: 'canada_post',
    name: 'Canada Post (16)',
    shape: /^(?<serial>\d{15})(?<check>\d)$/,
    check: mod10(3, 1),
  },
  { courier: 'canpar', name: 'Canpar (22)', shape: /^[CDKLSUXZ]\d{21}$/ },
  { courier: 'dhl', name: 'DHL Express', shape: /^(?<serial>\d{9,10})(?<check>\d)$/, check: mod7 },
  { courier: 'dhl', name: 'DHL Express (Piece ID)', shape: /^J[A-Z]{2,3}\d{9,10}$/ },
  {
    courier: 'dhl',
    name: 'DHL E-Commerce',
    shape: /^(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)(?=[A-Z]*\d)[0-9A-Z]{10,39}$/,
  },
  { courier: 'dhl', name: 'DHL E-Commerce (14)', shape: /^\d{14}$/ },
  {
    courier: 'dpd',
    name: 'DPD (28)',
    shape: /^(?<serial>\d{24}(?<country>\d{3}))(?<check>[0-9A-Z])$/,
    check: iso7064Mod37x36,
    isCountry: isCountryNumber,
  },
  {
    courier: 'dpd',
    name: 'DPD (14)',
    shape: /^(?<serial>\d{14})(?<check>[0-9A-Z])$/,
    check: iso7064Mod37x36,
  },
  {
    courier: 'fedex',
    name: 'FedEx Express (12)',
    shape: /^(?<serial>\d{11})(?<check>\d)$/,
    check: weighted(FEDEX_WEIGHTS, 11),
  },
  {
    courier: 'fedex',
    name: 'FedEx Express (34)',
    shape: /^[0-8]\d{19}(?<serial>\d{13})(?<check>\d)$/,
    check: weighted(FEDEX_LONG_WEIGHTS, 11),
  },
  {
    courier: 'fedex',
    name: 'FedEx ASTRA (32)',
    shape: /^3\d{15}(?<serial>\d{11})(?<check>\d)\d{4}$/,
    check: weighted(FEDEX_WEIGHTS, 11),
  },
  {
    courier: 'fedex',
    name: 'FedEx Ground',
    shape: /^(?<serial>\d{14})(?<check>\d)$/,
    check: mod10(1, 3),
  },
  {
    courier: 'fedex',
    name: 'FedEx Ground (SSCC-18)',
    shape: /^0[0124](?<serial>\d{15})(?<check>\d)$/,
    check: mod10(3, 1),
  },
  {
    courier: 'fedex',
    name: 'FedEx Ground 96 (22)',
    shape: /^96\d{5}(?<serial>\d{14})(?<check>\d)$/,
    check: mod10(1, 3),
  },
  {
    courier: 'fedex',
    name: 'FedEx Ground GSN',
    shape: /^96\d{18}(?<serial>\d{13})(?<check>\d)$/,
    check: weighted(FEDEX_LONG_WEIGHTS, 11),
  },
  { courier: 'gofo', name: 'GOFO Express (US)', shape: /^GFUS\d{14}$/ },
  { courier: 'landmark', name: 'Landmark Global LTN', shape: /^LTN\d{8}N1$/ },
  { courier: 'lasership', name: 'LaserShip LX', shape: /^L[AIEHNX][1-3]\d{7}$/ },
  { courier: 'lasership', name: 'LaserShip 1LS7 (15)', shape: /^1LS7[12]\d{10}$/ },
  // The hyphen before the last digit is gone by the time it is looked at.
  { courier: 'lasership', name: 'LaserShip 1LS7 (18)', shape: /^1LS7[12]\d{2}01[1-4]\d{6}1$/ },
  { courier: 'lasership', name: 'LaserShip 1LSCX (15)', shape: /^1LSCX[0-9A-Z]{10}$/ },
  {
    courier: 'old_dominion',
    name: 'Old Dominion',
    shape: /^(?<serial>(?:77[78]|072|780)\d{7})(?<check>\d)$/,
    check: luhn,
  },
  {
    courier: 'old_dominion',
    name: 'Old Dominion Guaranteed Shipment',
    shape: /^(?<serial>80\d{8})(?<check>\d)$/,
    check: luhn,
  },
  {
    courier: 'ontrac',
    name: 'OnTrac',
    shape: /^C(?<serial>\d{13})(?<check>\d)$/,
    check: mod10(1, 2),
    serialOf: after('4'),
  },
  {
    courier: 'ontrac',
    name: 'OnTrac D',
    shape: /^D(?<serial>\d{13})(?<check>\d)$/,
    check: mod10(1, 2),
    serialOf: after('5'),
  },
  {
    courier: 'purolator',
    name: 'Purolator (12)',
    shape: /^(?<serial>[0-5]\d{10})(?<check>\d)$/,
    check: luhn,
  },
  { courier: 'purolator', name: 'Purolator (alpha + 9)', shape: /^[A-Z]{3}\d{9}$/ },
  {
    courier: 's10',
    name: 'S10',
    // Service indicators as the Universal Postal Union gives them out; not J, K, S, T, W.
    shape: /^(?:[BCDEHLMNPRUVZ][A-Z]|Q[A-M]|A[V-Z]|G[AD])(?<serial>\d{8})(?<check>\d)(?<country>[A-Z]{2})$/,
    check: s10,
    isCountry,
  },
  { courier: 'speedee', name: 'Spee-Dee (20)', shape: /^SP\d{18}$/ },
  {
    courier: 'ups',
    name: 'UPS',
    shape: /^1Z(?<serial>[0-9A-Z]{15})(?<check>\d)$/,
    check: mod10(1, 2),
    isUnmistakable: true,
  },
  {
    courier: 'ups',
    name: 'UPS Waybill',
    shape: /^[AHJKTV](?<serial>\d{9})(?<check>\d)$/,
    check: mod10(1, 2),
  },
  { courier: 'usps', name: 'USPS 20', shape: /^(?<serial>\d{19})(?<check>\d)$/, check: mod10(3, 1) },
  {
    courier: 'usps',
    name: 'USPS IMpb N',
    shape: new RegExp(
      String.raw`^${ZIP}(?<serial>94\d{3}(?:9\d{8}(?:\d{15}|\d{11}|\d{7})|[0-8]\d{5}(?:\d{14}|\d{10})))(?<check>\d)$`,
    ),
    check: mod10FromTheEnd(3, 1),
  },
  {
    courier: 'usps',
    name: 'USPS Legacy',
    shape: new RegExp(String.raw`^${ZIP}(?<serial>(?:91)?\d{19})(?<check>\d)$`),
    check: mod10(3, 1),
    serialOf: after('91'),
  },
  {
    courier: 'usps',
    name: 'USPS IMpb C',
    shape: new RegExp(
      String.raw`^${ZIP}(?<serial>(?:92(?=\d{3}9)|93(?=\d{3}[0-8])|95)${IMPB_REST})(?<check>\d)$`,
    ),
    check: mod10(3, 1),
  },
  { courier: 'yodel', name: 'Yodel', shape: /^JJ?D\d{16}$/ },
  { courier: 'yunexpress', name: 'YunExpress', shape: /^YT\d{16}$/ },
  // Not published, and the same for the three: eleven digits modulo seven give the twelfth.
  ...(['yamato', 'sagawa', 'japanpost'] as const).map((courier): NumberFormat => ({
    courier,
    name: 'JP 7DR 12 digits',
    shape: /^(?<serial>\d{11})(?<check>\d)$/,
    check: mod7,
  })),
];
