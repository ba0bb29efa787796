/** Every event that is published, one schema for each topic and version. */
import type { EventSchema } from './define.ts';
import { stockCheckEvent } from './stock-check-event.ts';

export const events: readonly EventSchema[] = [stockCheckEvent];

/** Undefined for a topic or version that is not published. */
export function eventSchema({
  topic,
  version,
}: Pick<EventSchema, 'topic' | 'version'>): EventSchema | undefined {
  return events.find((one) => one.topic === topic && one.version === version);
}
