/** Hours from UTC of a country's carrier, without summer time. Others keep UTC. */
const OFFSET_HOURS: Readonly<Record<string, number>> = { US: -5, CA: -5, JP: 9, DE: 1, FR: 1, NL: 1 };

export type UpsTime = {
  readonly date: string;
  readonly time: string;
  readonly gmtDate: string;
  readonly gmtTime: string;
  readonly gmtOffset: string;
};

/** As scans are dated: local time with its offset, and UTC. `separator`: `:` in tracking, `.` in alerts. */
export function upsTime(at: Date, country: string, separator = ':'): UpsTime {
  const hours = OFFSET_HOURS[country] ?? 0;
  const local = dayAndTime(new Date(at.getTime() + hours * 3_600_000));
  const utc = dayAndTime(at);
  const sign = hours < 0 ? '-' : '+';
  return {
    ...local,
    gmtDate: utc.date,
    gmtTime: utc.time,
    gmtOffset: `${sign}${String(Math.abs(hours)).padStart(2, '0')}${separator}00`,
  };
}

/** `YYYYMMDD` and `HHMMSS` in UTC. UPS names no zone for a promised arrival; ours are in UTC. */
export function dayAndTime(at: Date): { readonly date: string; readonly time: string } {
  const digits = at.toISOString().replaceAll(/\D/g, '');
  return { date: digits.slice(0, 8), time: digits.slice(8, 14) };
}
