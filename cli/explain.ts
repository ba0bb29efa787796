/** What went wrong and what to do is in the message; the trace is for whoever looks for a defect. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isLookedAt = ['debug', 'trace'].includes(process.env['LOG_LEVEL'] ?? '');
  return (isLookedAt ? error.stack : undefined) ?? error.message;
}
