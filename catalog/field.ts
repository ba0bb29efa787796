import { z } from 'zod';
import { LOCALES } from '../domain/order-messages.ts';

/** A manga title's id. It never holds `@`, which begins the keys of everything else that is cached of stock. */
const MANGA_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
/** Ids that shops bring along: whatever an import takes, but for white space. They reach SQL as parameters only. */
const SHOP_ID = /^[!-~]+$/;
const SHOP_ID_LENGTH = 128;

/** Free text to search by. Postgres keeps no NUL, and nothing is called by one. */
export const searchText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !text.includes('\0'), 'no NUL character');

const shopId = () => z.string().min(1).max(SHOP_ID_LENGTH).regex(SHOP_ID);

/**
 * The words that tools share: one described field per idea, so that every tool says it the same way. Patterns are
 * plain enough for any reader of JSON Schema: no flags, no look-around.
 */
export const field = {
  manga_id: z.string().min(1).max(64).regex(MANGA_ID).describe('Id of a manga title, for example BER42.'),
  volume_number: z.int().min(1).max(100_000).describe('Volume of the title, for example 42.'),
  sku: shopId().describe(
    'Stock keeping unit. A manga volume has <manga_id>-<volume, two digits>, for example BER42-42.',
  ),
  warehouse: shopId().describe('Code of a warehouse, for example WH-2.'),
  order_id: shopId().describe(
    'Order number as the shop prints it, with or without its prefix: 88213, #W2611340, ord_456.',
  ),
  action_id: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[A-Za-z0-9_-]+$/)
    .describe('Id of an action, as the tool that proposed it answered.'),
  purchase_order_id: z
    .string()
    .min(1)
    .max(20)
    .regex(/^#?[0-9]+$/)
    .describe('Number of a purchase order, for example 1042.'),
  region: searchText(200).min(1).describe('Region of warehouses, for example EU; "all" for every region.'),
  locale: z.enum(LOCALES).describe('Language of the words for the customer: en (the default) or ja.'),
  limit: z.int().min(1).max(10).default(10).describe('How many orders at most, 1 to 10.'),
} as const;

/** ISO 8601 with zone: every time in a result says which one it is in. */
export const instant = z
  .string()
  .refine(
    (text) => /^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text),
    'no ISO 8601 time with zone',
  )
  .meta({ format: 'date-time' });

/** Where facts come from, how old they are and how they were come by. Part of every result that states facts. */
export const facts = {
  source: z.literal('aurora_live').describe('The database of record. Authoritative: report it, add nothing.'),
  as_of: instant.describe('When the facts were read from the database.'),
  cache: z
    .object({
      hit: z.boolean().describe('True when the answer came from the cache.'),
      age_s: z.int().min(0).describe('Age of the facts in seconds.'),
      ttl_s: z.int().min(0).describe('For how many seconds such facts may be reused.'),
    })
    .describe('How the answer was come by.'),
} as const;

/** Amounts leave as numbers of the currency's major unit: 12.99 dollars, 1299 yen. */
export const amount = z.number();
export const currency = z.string().describe('ISO 4217 code of every amount beside it.');

const DAY_OR_INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/;

/** `2026-03-01`, or an instant with zone. A plain pattern, since a tool's input has no unions. */
export const dayOrInstant = z
  .string()
  .max(40)
  .regex(DAY_OR_INSTANT)
  .refine(isOnTheCalendar, 'no day of the calendar, or no time of day');

/** Dates roll over: 30 February would be taken for a day in March. */
function isOnTheCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

const PERSONAL = 'x-personal';

/** Marks data about a person: sealed with the tenant's key before it enters Temporal, opened only in activities. */
export function personal<S extends z.ZodType>(schema: S): S {
  return schema.meta({ ...schema.meta(), [PERSONAL]: true });
}

const known = new WeakMap<z.ZodType, readonly (readonly string[])[]>();

/** Paths of the personal fields of a schema; `*` stands for every element of a list. */
export function personalPaths(schema: z.ZodType): readonly (readonly string[])[] {
  const found = known.get(schema);
  if (found) return found;
  const paths = pathsOf(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }), []);
  known.set(schema, paths);
  return paths;
}

type Node = z.core.JSONSchema._JSONSchema;

function pathsOf(node: Node, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof node === 'boolean') return [];
  if (node[PERSONAL] === true) return [path];
  const { properties = {}, items, anyOf = [] } = node;
  return [
    ...Object.entries(properties).flatMap(([name, child]) => pathsOf(child, [...path, name])),
    ...(items === undefined || Array.isArray(items) ? [] : pathsOf(items, [...path, '*'])),
    ...anyOf.flatMap((child) => pathsOf(child, path)),
  ];
}
