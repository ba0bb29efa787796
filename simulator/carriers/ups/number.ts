/** The account of the simulated shipper and the service, as they stand in a number. */
const BEFORE_SERIAL = '5R893903';

/** `1Z`, fifteen characters and their check digit: the even places count twice, and it fills up to ten. */
export function upsNumber(serial: number): string {
  const body = `${BEFORE_SERIAL}${String(serial % 10_000_000).padStart(7, '0')}`;
  const sum = Array.from(body).reduce((total, one, i) => total + valueOf(one) * (i % 2 === 0 ? 1 : 2), 0);
  return `1Z${body}${(10 - (sum % 10)) % 10}`;
}

/** Letters stand for digits, A for 2. */
function valueOf(character: string): number {
  return /\d/.test(character) ? Number(character) : (character.charCodeAt(0) - 63) % 10;
}
