/** UPS's service codes (Rating and Shipping, "Service Codes"). */
const SERVICES: readonly (readonly [code: string, name: string])[] = [
  ['01', 'UPS Next Day Air'],
  ['02', 'UPS 2nd Day Air'],
  ['03', 'UPS Ground'],
  ['07', 'UPS Worldwide Express'],
  ['08', 'UPS Worldwide Expedited'],
  ['11', 'UPS Standard'],
  ['12', 'UPS 3 Day Select'],
  ['13', 'UPS Next Day Air Saver'],
  ['14', 'UPS Next Day Air Early'],
  ['54', 'UPS Worldwide Express Plus'],
  ['59', 'UPS 2nd Day Air A.M.'],
  ['65', 'UPS Worldwide Saver'],
];

/** A service's name; a code that is not listed stays itself. */
export function serviceName(code: string): string {
  return SERVICES.find(([one]) => one === code)?.[1] ?? code;
}

/** The code of a service that was named by `serviceName`. */
export function serviceCode(name: string): string {
  return SERVICES.find(([, one]) => one === name)?.[0] ?? name;
}
