import type { OutgoingEvent } from '../../domain/events.ts';
import { storableJson } from '../../domain/storable.ts';
import type { Sql } from './pools.ts';

/**
 * Publishes with the transaction: they are delivered if it commits, in the order given, and never existed if it does
 * not. An event id that the shop has used before writes nothing.
 *
 * @param sql a transaction that has `tenant` set, as in `inTenant`
 */
export async function publishWithin(
  sql: Pick<Sql, 'query'>,
  tenant: string,
  events: readonly OutgoingEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const rows = storableJson(events).map(({ eventId, topic, version, key, payload, at }) => ({
    event_id: eventId,
    topic,
    version,
    key,
    payload,
    happened_at: at,
  }));
  await sql.query({
    name: 'publish_events',
    text: `insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
           select $1, e->>'event_id', e->>'topic', (e->>'version')::integer, e->>'key', e->'payload',
                  (e->>'happened_at')::timestamptz
             from jsonb_array_elements($2::jsonb) with ordinality as given (e, n)
            order by n
           on conflict do nothing`,
    values: [tenant, JSON.stringify(rows)],
  });
}
