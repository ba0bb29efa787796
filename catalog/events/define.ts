import type { z } from 'zod';
import type { Topic } from '../../domain/events.ts';

/** One version of what is said on a topic. A published version never changes: what it says differently is a new one. */
export type EventSchema<P extends z.ZodObject = z.ZodObject> = {
  readonly topic: Topic;
  readonly version: number;
  /** When it is published, in a sentence. */
  readonly means: string;
  /** What stays in order among its like. */
  readonly key: string;
  readonly payload: P;
};

export function defineEvent<P extends z.ZodObject>(schema: EventSchema<P>): EventSchema<P> {
  return schema;
}
