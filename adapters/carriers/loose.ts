import { z } from 'zod';

/** Schemas that read what they know and overlook the rest: carriers break their own formats in what we do not need. */

export const text = z
  .union([z.string(), z.number()])
  .transform((value) => String(value).trim().slice(0, 200))
  .optional()
  .catch(undefined);

/** A list, also where the carrier sends a single thing or nothing. Entries that make no sense are left out. */
export function listOf<T extends z.ZodType>(item: T) {
  return z
    .unknown()
    .transform((value) => {
      const all: readonly unknown[] = Array.isArray(value)
        ? value
        : value === null || value === undefined
          ? []
          : [value];
      return all.slice(0, MAX_ENTRIES).flatMap((one) => {
        const parsed = item.safeParse(one);
        return parsed.success ? [parsed.data] : [];
      });
    })
    .optional()
    .transform((list): z.output<T>[] => list ?? []);
}

const MAX_ENTRIES = 1_000;

/** An object, or nothing. */
export function part<T extends z.ZodRawShape>(shape: T) {
  return z.object(shape).optional().catch(undefined);
}
