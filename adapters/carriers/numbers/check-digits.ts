/** How couriers compute check digits. Each says whether `check` belongs to `serial`. */
export type Check = (serial: string, check: string) => boolean;

/** Letters count as UPS counts them: A is 2, B is 3 … J is 1. */
function valueOf(character: string): number {
  return /\d/.test(character) ? Number(character) : (character.charCodeAt(0) - 3) % 10;
}

/** Modulo 10 over places that weigh differently in turn, the first place being an even one. */
export function mod10(evenWeight: number, oddWeight: number): Check {
  return (serial, check) => {
    const sum = Array.from(serial).reduce(
      (total, character, i) => total + valueOf(character) * (i % 2 === 0 ? evenWeight : oddWeight),
      0,
    );
    return (10 - (sum % 10)) % 10 === Number(check);
  };
}

/** As `mod10`, counted from the last place. */
export function mod10FromTheEnd(lastWeight: number, nextWeight: number): Check {
  const check = mod10(lastWeight, nextWeight);
  return (serial, digit) => check(Array.from(serial).toReversed().join(''), digit);
}

/** Luhn: every second digit from the last counts double, and its digits are added. */
export const luhn: Check = (serial, check) => {
  const sum = Array.from(serial)
    .toReversed()
    .reduce((total, digit, i) => total + (i % 2 === 0 ? digitSum(Number(digit) * 2) : Number(digit)), 0);
  return (10 - (sum % 10)) % 10 === Number(check);
};

const digitSum = (value: number) => (value > 9 ? value - 9 : value);

/** The remainder of the serial number itself. Numbers can be longer than a double is exact. */
export const mod7: Check = (serial, check) => BigInt(serial) % 7n === BigInt(check);

export function weighted(weights: readonly number[], modulo: number): Check {
  return (serial, check) => (weightedSum(weights, serial) % modulo) % 10 === Number(check);
}

const S10_WEIGHTS = [8, 6, 4, 2, 3, 5, 9, 7];

/** Universal Postal Union, S10-12. */
export const s10: Check = (serial, check) => {
  const digit = 11 - (weightedSum(S10_WEIGHTS, serial) % 11);
  return (digit === 10 ? 0 : digit === 11 ? 5 : digit) === Number(check);
};

function weightedSum(weights: readonly number[], serial: string): number {
  return Array.from(serial).reduce((sum, digit, i) => sum + Number(digit) * (weights[i] ?? 0), 0);
}

const BASE_36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** ISO 7064 MOD 37,36. */
export const iso7064Mod37x36: Check = (serial, check) => {
  const product = Array.from(serial).reduce((carry, character) => {
    const sum = (carry + BASE_36.indexOf(character)) % 36;
    return ((sum === 0 ? 36 : sum) * 2) % 37;
  }, 36);
  return BASE_36[(37 - product) % 36] === check;
};
