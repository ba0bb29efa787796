import type { EventLag, EventLog, PublishedEvent, Topic } from '../../domain/events.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Pools } from './pools.ts';

const FAILURE_LENGTH = 500;

/** The log and its cursors, over all shops. A position once read stays what it is, and none is ever put in before it. */
export function createEventLog({ system }: Pick<Pools, 'system'>): EventLog {
  return {
    read: async (after, limit) => {
      const { rows } = await system.query<EventRow>({
        name: 'read_events',
        text: READ,
        values: [after, limit],
      });
      return rows.map(eventOf);
    },
    cursor: async (consumer) => {
      const { rows } = await system.query<{ position: string }>(
        'select position from event_cursors where consumer = $1',
        [consumer],
      );
      return Number(rows[0]?.position ?? 0);
    },
    advance: async (consumer, position) => {
      await system.query({
        name: 'advance_cursor',
        text: `with passed as (delete from event_failures where consumer = $1 and position <= $2)
               insert into event_cursors as c (consumer, position) values ($1, $2)
               on conflict (consumer) do update set position = excluded.position, moved_at = clock_timestamp()
                where c.position < excluded.position`,
        values: [consumer, position],
      });
    },
    failed: async (consumer, position, failure) => {
      const { rows } = await system.query<{ skipped: boolean }>({
        name: 'event_failed',
        text: `insert into event_failures as f (consumer, position, failure) values ($1, $2, $3)
               on conflict (consumer, position) do update
                  set attempts = f.attempts + 1, failure = excluded.failure, failed_at = clock_timestamp()
               returning skipped_at is not null as skipped`,
        values: [consumer, position, failure.replaceAll('\0', '').slice(0, FAILURE_LENGTH)],
      });
      return rows[0]?.skipped === true;
    },
  };
}

export async function eventLag({ system }: Pick<Pools, 'system'>): Promise<EventLag> {
  const { rows } = await system.query<LagRow>(
    `select h.position::float8 as published, q.n as queued, coalesce(w.seconds, 0) as waits,
            c.consumer, greatest(h.position - greatest(c.position, b.forgotten), 0)::float8 as behind
       from event_head h
      cross join lateral (select coalesce((select min(position) - 1 from event_log), h.position) as forgotten) b
      cross join (select count(*)::float8 as n from event_queue) q
       left join lateral (
              select extract(epoch from clock_timestamp() - o.written_at)::float8 as seconds
                from event_queue e join event_outbox o using (shop_id, event_id)
               order by e.seq limit 1) w on true
       left join event_cursors c on true`,
  );
  const [first] = rows;
  return {
    published: first?.published ?? 0,
    queued: first?.queued ?? 0,
    oldestQueuedSeconds: first?.waits ?? 0,
    behind: Object.fromEntries(
      rows.flatMap(({ consumer, behind }) => (consumer === null ? [] : [[consumer, behind]])),
    ),
  };
}

type LagRow = {
  readonly published: number;
  readonly queued: number;
  readonly waits: number;
  readonly consumer: string | null;
  readonly behind: number;
};

const READ = `
  select l.position, o.shop_id, o.event_id, o.topic, o.version, o.key, o.payload, o.happened_at
    from event_log l join event_outbox o using (shop_id, event_id)
   where l.position > $1 order by l.position limit $2`;

type EventRow = {
  position: string;
  shop_id: string;
  event_id: string;
  // A row of a later release may have a topic that this one does not know; nobody here asks for it then.
  topic: Topic;
  version: number;
  key: string;
  payload: JsonObject;
  happened_at: Date;
};

function eventOf(row: EventRow): PublishedEvent {
  return {
    position: Number(row.position),
    tenant: row.shop_id,
    eventId: row.event_id,
    topic: row.topic,
    version: row.version,
    key: row.key,
    payload: row.payload,
    at: row.happened_at.toISOString(),
  };
}
