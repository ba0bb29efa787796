/** An integer of the currency's minor units: 1299 USD is 12.99 dollars, 1299 JPY is 1,299 yen. */
export type Money = { readonly amountMinor: number; readonly currency: Currency };

/** ISO 4217 code. */
export type Currency = string;

/** ISO 4217: how many decimals a currency's major unit has. Two, unless listed here. */
const DECIMALS: Readonly<Record<string, number>> = {
  JPY: 0,
  KRW: 0,
  VND: 0,
  CLP: 0,
  ISK: 0,
  KWD: 3,
  BHD: 3,
  TND: 3,
};

export function decimalsOf(currency: Currency): number {
  return DECIMALS[currency] ?? 2;
}

/** Minor units as the number a caller reads: 1299 USD → 12.99. Exact for every amount below 2^53. */
export function majorUnits({ amountMinor, currency }: Money): number {
  const decimals = decimalsOf(currency);
  return decimals === 0 ? amountMinor : Number((amountMinor / 10 ** decimals).toFixed(decimals));
}

/** Minor units of a decimal number as a database prints it: '12.99' USD → 1299. Half a minor unit rounds up. */
export function minorUnits(decimal: string, currency: Currency): number {
  // Moving the exponent in the text is exact; multiplying 1.005 by 100 is not.
  return Math.round(Number(`${decimal}e${decimalsOf(currency)}`));
}
