import { decimalsOf } from '../../../domain/money.ts';
import { ORDER_STATES } from '../../../domain/orders.ts';
import type { FieldKind } from './columns.ts';

/** Why a field was not accepted. Never quotes the field. */
export class FieldProblem {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A field as the staging table takes it, or why not. Called for filled fields only: an empty one is NULL. */
export type FieldReader = (raw: string) => string | FieldProblem;

const problem = (reason: string) => new FieldProblem(reason);

const MAX_TEXT = 4000;
const ID = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;
const EMAIL = /^[^\s@\p{C}]{1,128}@[^\s@\p{C}]{1,128}$/u;
const COUNT = /^\d{1,9}$/;
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$/;
// Tab and line ends may stand in an address; other control characters, and those that turn writing around, may not.
const HIDDEN = /[^\P{C}\t\r\n]/u;
const PLAIN = /^[\x20-\x7e]*$/;

function text(raw: string): string | FieldProblem {
  if (raw.length > MAX_TEXT) return problem(`longer than ${MAX_TEXT} characters`);
  if (!PLAIN.test(raw)) {
    if (raw.includes('\uFFFD')) return problem('holds bytes that are not UTF-8 text');
    if (HIDDEN.test(raw)) return problem('holds control or invisible characters');
  }
  return raw.trim() === '' ? problem('holds nothing but space') : raw;
}

function id(raw: string): string | FieldProblem {
  return ID.test(raw) ? raw : problem('not an id: 1 to 128 printable ASCII characters, no space at the ends');
}

function email(raw: string): string | FieldProblem {
  return EMAIL.test(raw) && !raw.includes('\uFFFD') ? raw : problem('not an e-mail address');
}

function count(raw: string): string | FieldProblem {
  return COUNT.test(raw) ? raw : problem('not a whole number from 0 to 999999999');
}

/** Numbers of lines, payments and units: 1 and up. */
function line(raw: string): string | FieldProblem {
  return COUNT.test(raw) && Number(raw) > 0 ? raw : problem('not a whole number from 1 to 999999999');
}

function decimal(raw: string): string | FieldProblem {
  return /^\d{1,9}(\.\d{1,6})?$/.test(raw) ? raw : problem('not a number from 0 with at most 6 decimals');
}

function flag(raw: string): string | FieldProblem {
  const word = raw.toLowerCase();
  if (word === 'true' || word === 't' || word === 'yes' || word === '1') return 't';
  if (word === 'false' || word === 'f' || word === 'no' || word === '0') return 'f';
  return problem('neither true nor false');
}

function instant(raw: string): string | FieldProblem {
  const match = INSTANT.exec(raw);
  if (!match) return problem('not an ISO 8601 date or time');
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match;
  // `Date` rolls 31 April over into May; a date that does not come back as it went in never was.
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return problem('no such date');
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return problem('no such time of day');
  if (Number(year) < 1900 || Number(year) > 2199) return problem('a year outside 1900 to 2199');
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 14 || Number(zone.slice(4)) > 59))
    return problem('no such zone');
  return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}${zone === 'Z' ? '+00' : zone}`;
}

/** One flat JSON object: names and plain values of a variant's options. */
function options(raw: string): string | FieldProblem {
  if (raw.length > MAX_TEXT) return problem(`longer than ${MAX_TEXT} characters`);
  try {
    const value: unknown = JSON.parse(raw);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return problem('not a JSON object');
    const flat = Object.values(value).every((option) => option === null || typeof option !== 'object');
    // jsonb cannot hold U+0000 or half a surrogate pair, not even escaped.
    if (!flat || /\uFFFD|\\u0000|\\ud[89a-f]/i.test(raw)) return problem('not a flat JSON object');
    return JSON.stringify(value);
  } catch {
    return problem('not JSON');
  }
}

/** The words of shops we know for the eleven states; the states themselves are accepted too. */
const STATUS_WORDS: ReadonlyMap<string, string> = new Map([
  ...ORDER_STATES.map((state): [string, string] => [state.toLowerCase(), state]),
  ['pending', 'Confirmed'],
  ['processed', 'Packed'],
  ['processing', 'Confirmed'],
  ['fulfilled', 'Delivered'],
  ['canceled', 'Cancelled'],
  ['failed', 'DeliveryFailed'],
  ['returned', 'ReturnInitiated'],
]);

/** Keeps the word: its state is looked up when the order is written. */
function status(raw: string): string | FieldProblem {
  return STATUS_WORDS.has(raw.toLowerCase()) ? raw : problem('not a status this import knows');
}

/** Word, in small letters, and state. */
export const STATUS_PAIRS: readonly (readonly [string, string])[] = [...STATUS_WORDS];

function money(currency: string): FieldReader {
  const decimals = decimalsOf(currency);
  // A source may print decimals that the currency has not, as long as they are zeros.
  const amount = new RegExp(`^\\d{1,10}(?:\\.\\d{0,${decimals}}0*)?$`);
  const complaint = `not an amount from 0 to 9999999999 with at most ${decimals} decimals`;
  return (raw) => (raw.length <= 24 && amount.test(raw) && !raw.endsWith('.') ? raw : problem(complaint));
}

export function readersFor(currency: string): Readonly<Record<FieldKind, FieldReader>> {
  return {
    id,
    line,
    text,
    email,
    money: money(currency),
    count,
    decimal,
    instant,
    flag,
    options,
    status,
    // No conversion without a stated rate: a shop has one currency.
    currency: (raw) => (raw === currency ? raw : problem("not the shop's currency")),
    word: (raw) =>
      /^[a-z][a-z0-9_]{0,39}$/.test(raw) ? raw : problem('not a word of small letters, digits and _'),
    entry: (raw) => (raw === 'payment' || raw === 'refund' ? raw : problem('neither payment nor refund')),
    lastFour: (raw) => (/^\d{4}$/.test(raw) ? raw : problem('not four digits')),
  };
}
