/** Whoever has a shell here can do this: the record says whose shell it was. */
export function operator(): string {
  return `cli:${process.env['SUDO_USER'] ?? process.env['USER'] ?? 'unknown'}`;
}
