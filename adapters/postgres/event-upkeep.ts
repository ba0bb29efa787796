import type { EventKeeping } from '../../domain/events.ts';
import type { Pools } from './pools.ts';

export function createEventKeeping({ system }: Pick<Pools, 'system'>): EventKeeping {
  return {
    forget: async (olderThanDays, limit) => {
      const { rowCount } = await system.query({
        name: 'forget_events',
        text: FORGET,
        values: [olderThanDays, limit],
      });
      return rowCount ?? 0;
    },
    consumers: async () => {
      const { rows } = await system.query<ConsumerRow>(CONSUMERS);
      return rows.map(({ moved_at, failures, ...row }) => ({
        ...row,
        movedAt: moved_at.toISOString(),
        failures: failures.map(({ failed_at, ...failure }) => ({
          ...failure,
          failedAt: new Date(failed_at).toISOString(),
        })),
      }));
    },
    skip: async (consumer, position) => {
      const { rowCount } = await system.query(
        `update event_failures set skipped_at = clock_timestamp()
          where consumer = $1 and position = $2 and skipped_at is null`,
        [consumer, position],
      );
      return rowCount === 1;
    },
  };
}

// The log is in order of time, too: its beginning is all that needs to be looked at.
const FORGET = `
  with oldest as (select shop_id, event_id, position, published_at from event_log order by position limit $2),
       gone as (delete from event_log l using oldest o
                 where l.shop_id = o.shop_id and l.event_id = o.event_id
                   and o.published_at < clock_timestamp() - greatest($1, 1) * interval '1 day'
                   and o.position <= (select min(position) from event_cursors)
                returning l.shop_id, l.event_id)
  delete from event_outbox b using gone g where b.shop_id = g.shop_id and b.event_id = g.event_id`;

const CONSUMERS = `
  select c.consumer, c.position::float8 as position,
         greatest(h.position - greatest(c.position, b.forgotten), 0)::float8 as lag, c.moved_at,
         coalesce((select jsonb_agg(jsonb_build_object('position', f.position, 'attempts', f.attempts,
                            'failure', f.failure, 'failed_at', f.failed_at, 'skipped', f.skipped_at is not null)
                            order by f.position)
                     from event_failures f where f.consumer = c.consumer and f.position > c.position), '[]') as failures
    from event_cursors c cross join event_head h
   cross join lateral (select coalesce((select min(position) - 1 from event_log), h.position) as forgotten) b
   order by c.consumer`;

type ConsumerRow = {
  readonly consumer: string;
  readonly position: number;
  readonly lag: number;
  readonly moved_at: Date;
  readonly failures: readonly {
    readonly position: number;
    readonly attempts: number;
    readonly failure: string;
    readonly failed_at: string;
    readonly skipped: boolean;
  }[];
};
