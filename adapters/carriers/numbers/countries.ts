const NAMES = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** Codes that name no country: unions, pseudo-regions, "unknown". */
const NO_COUNTRY = new Set(['EU', 'EZ', 'UN', 'QO', 'XA', 'XB', 'ZZ']);

/** Whether ISO 3166-1 has this code of two capitals today. */
export function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || NO_COUNTRY.has(code) || NAMES.of(code) === undefined) return false;
  // Withdrawn codes (AN, UK) are rewritten to their successors.
  return new Intl.Locale(`und-${code}`).region === code;
}

/** The same for ISO 3166-1's three digits. */
export function isCountryNumber(digits: string): boolean {
  return /^\d{3}$/.test(digits) && isCountry(new Intl.Locale(`und-${digits}`).region ?? '');
}
