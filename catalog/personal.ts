import type { JsonObject, JsonValue } from '../domain/json.ts';

import type { Seals } from '../domain/seals.ts';

type Path = readonly string[];

/** The input with the strings at `paths` sealed: as it may lie in Temporal. */
export function hidePersonal(
  seals: Seals,
  tenant: string,
  input: JsonObject,
  paths: readonly Path[],
): JsonObject {
  return atAll(input, paths, (text) => seals.sealPersonal(tenant, text));
}

/** The output with its sealed strings open: as its rightful reader gets it. */
export function showPersonal(
  seals: Seals,
  tenant: string,
  output: JsonObject,
  paths: readonly Path[],
): JsonObject {
  return atAll(output, paths, (text) => (seals.isSealedText(text) ? seals.openPersonal(tenant, text) : text));
}

function atAll(object: JsonObject, paths: readonly Path[], change: (text: string) => string): JsonObject {
  return paths.reduce<JsonObject>((changed, path) => at(changed, path, change), object);
}

function at(object: JsonObject, [name, ...rest]: Path, change: (text: string) => string): JsonObject {
  if (name === undefined || !Object.hasOwn(object, name)) return object;
  return { ...object, [name]: within(object[name] ?? null, rest, change) };
}

function within(value: JsonValue, path: Path, change: (text: string) => string): JsonValue {
  const [next, ...rest] = path;
  if (next === undefined) return everyString(value, change);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return next === '*' ? value.map((item) => within(item, rest, change)) : value;
  return at(value, path, change);
}

function everyString(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => everyString(item, change));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, everyString(item, change)]));
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}
