import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { Refusal, isRefusalCode } from '../domain/refusal.ts';

const json: z.ZodType<JsonValue> = z.json();
const FACTS = z.record(z.string(), json);

/** The refusal a workflow failed with, however deep it lies, or undefined when it is a fault. */
export function refusalIn(error: unknown): Refusal | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof Refusal) return at;
    if (at instanceof ApplicationFailure && typeof at.type === 'string' && isRefusalCode(at.type)) {
      return new Refusal(at.type, at.message, factsOf(at.details?.[0]));
    }
  }
  return undefined;
}

function factsOf(detail: unknown): JsonObject {
  const parsed = FACTS.safeParse(detail);
  return parsed.success ? parsed.data : {};
}
