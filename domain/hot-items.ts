/** How often each title of each shop was asked for, and up to which position that is counted. */
export type HotItems = {
  readonly position: number;
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

export const NOTHING_COUNTED: HotItems = { position: 0, counts: {} };

export type Asked = { readonly tenant: string; readonly mangaId: string };

/** Count and position move together, so an event that comes again is not counted again. */
export function counted(before: HotItems, asked: readonly Asked[], position: number): HotItems {
  if (position <= before.position) return before;
  const counts = new Map(
    Object.entries(before.counts).map(([tenant, titles]) => [tenant, new Map(Object.entries(titles))]),
  );
  for (const { tenant, mangaId } of asked) {
    const titles = counts.get(tenant) ?? new Map<string, number>();
    counts.set(tenant, titles.set(mangaId, (titles.get(mangaId) ?? 0) + 1));
  }
  return {
    position,
    counts: Object.fromEntries([...counts].map(([tenant, titles]) => [tenant, Object.fromEntries(titles)])),
  };
}

/** The most wanted first; equals by name. */
export function hottest({ counts }: HotItems, tenant: string, most: number) {
  return Object.entries(counts[tenant] ?? {})
    .map(([mangaId, times]) => ({ mangaId, times }))
    .toSorted((a, b) => b.times - a.times || (a.mangaId < b.mangaId ? -1 : 1))
    .slice(0, most);
}
