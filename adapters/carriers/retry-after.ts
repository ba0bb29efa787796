/** `Retry-After` in milliseconds: seconds or an HTTP date. Undefined when it is absent or says nothing sensible. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000;
  // Date.parse takes nearly anything for a date; an HTTP date starts with a day's name.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
