import type { PublishedEvent } from './events.ts';
import type { JsonObject } from './json.ts';

/** An event as it leaves: on a stream, on a line of output. */
export function eventToWire({ eventId, ...event }: PublishedEvent): JsonObject {
  const { tenant, position, topic, version, key, payload, at } = event;
  return { position, tenant, event_id: eventId, topic, version, key, at, payload };
}

/** What a stream partitions by: events of one key of one tenant stay in order. */
export function partitionOf({ tenant, key }: Pick<PublishedEvent, 'tenant' | 'key'>): string {
  return `${tenant}:${key}`;
}
