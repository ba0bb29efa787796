/** What Postgres, JSON and a signature can all hold of a text from outside: no NUL, no half of a pair, not endless. */
export function storable(text: string, most = 1_000): string {
  const cut = text
    .slice(0, most * 2)
    .replaceAll('\0', '')
    .slice(0, most);
  return cut.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** The same for every text inside a JSON value. */
export function storableJson<T>(value: T, most?: number): T {
  // Rebuilt from the same value with only texts replaced, so the type stays.
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? storable(part, most) : part)),
  ) as T;
}
