import type { Courier } from './carrier-names.ts';
import { NUMBER_FORMATS, type NumberFormat } from './formats.ts';

export type Recognised = { readonly courier: Courier; readonly format: string };

/** Longer than any courier's number with blanks between all its digits. */
const MAX_LENGTH = 100;

/** Every courier whose number this can be, its check digit being right. Twelve digits can be several couriers'. */
export function recogniseNumber(number: string): readonly Recognised[] {
  const bare = bareNumber(number);
  if (bare === undefined) return [];
  return NUMBER_FORMATS.filter((format) => judge(format, bare) === 'right').map(({ courier, name }) => ({
    courier,
    format: name,
  }));
}

/** The number has the unmistakable form of this courier's, and a wrong check digit. */
export function isMisread(courier: Courier | undefined, number: string): boolean {
  const bare = bareNumber(number);
  if (bare === undefined) return false;
  return NUMBER_FORMATS.some(
    (format) => format.courier === courier && format.isUnmistakable && judge(format, bare) === 'wrong',
  );
}

function bareNumber(number: string): string | undefined {
  return number.length > MAX_LENGTH ? undefined : number.replaceAll(/[\s-]/g, '').toUpperCase();
}

function judge(
  { shape, check, serialOf, isCountry }: NumberFormat,
  bare: string,
): 'right' | 'wrong' | 'other' {
  const match = shape.exec(bare);
  if (match === null) return 'other';
  const { serial = '', check: digit = '', country } = match.groups ?? {};
  if (isCountry !== undefined && !isCountry(country ?? '')) return 'wrong';
  return check === undefined || check(serialOf?.(serial) ?? serial, digit) ? 'right' : 'wrong';
}
