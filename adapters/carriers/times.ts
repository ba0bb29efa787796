/** A carrier's time, as far as it can be known. `at` is ISO 8601 in UTC. */
export type CarrierTime = { readonly at: string | null; readonly zoneKnown: boolean };

export const NO_TIME: CarrierTime = { at: null, zoneKnown: false };

/**
 * Date `YYYYMMDD`, time `HHMMSS` (leading zeros may be missing, colons may be there) and offset `-05:00` or `-05.00`.
 * Without an offset the local time is kept as if it were UTC.
 */
export function timeOf(date: string | undefined, time: string | undefined, offset?: string): CarrierTime {
  const day = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(date?.trim() ?? '');
  if (!day) return NO_TIME;
  const digits = (time ?? '').replaceAll(':', '').trim();
  const clock = /^\d{1,6}$/.test(digits) ? padded(digits) : digits === '' ? '000000' : undefined;
  if (clock === undefined) return NO_TIME;
  const zone = /^([+-])(\d{2})[:.]?(\d{2})$/.exec(offset?.trim() ?? '');
  const local = `${day[1]}-${day[2]}-${day[3]}T${clock.slice(0, 2)}:${clock.slice(2, 4)}:${clock.slice(4)}`;
  return instant(local, zone ? `${zone[1]}${zone[2]}:${zone[3]}` : undefined);
}

/** `0930` is half past nine; `74700` has lost its leading zero. */
function padded(digits: string): string {
  return digits.length === 4 ? `${digits}00` : digits.padStart(6, '0');
}

/** ISO 8601 with or without a zone. */
export function isoTime(text: string | undefined): CarrierTime {
  const parts = /^(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)(Z|[+-]\d{2}:?\d{2})?$/.exec(
    text?.trim() ?? '',
  );
  if (!parts) return NO_TIME;
  const [, given = '', zone] = parts;
  const local = given.includes('T') ? given : `${given}T00:00:00`;
  return instant(local, zone?.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2'));
}

function instant(local: string, zone: string | undefined): CarrierTime {
  const at = new Date(`${local}${zone ?? 'Z'}`);
  if (Number.isNaN(at.getTime())) return NO_TIME;
  // Date rolls the 31st of February over to March; a carrier that says so says nothing.
  const day = new Date(`${local.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== local.slice(0, 10)) return NO_TIME;
  return { at: at.toISOString(), zoneKnown: zone !== undefined };
}

/** Events without a time come last; of one time, and among those without, the carrier's own order stays. */
export function newestFirst<T extends { readonly at: string | null }>(events: readonly T[]): readonly T[] {
  return events.toSorted((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
}
