import type { Pools, Sql } from './pools.ts';

/** Any number unlike other advisory locks of this database. */
const LOCK = 743_301_772_213;
const CHANNEL = 'countersign_events';

/** Being the one process that publishes. It lasts as long as its connection. */
export type Duty = {
  /** Aborted when the connection has gone, and with it the lock. */
  readonly lost: AbortSignal;
  /** Gives the next queued events their positions; how many they were. All of them, or, when it throws, none. */
  drain(limit: number): Promise<number>;
  release(): void;
};

/**
 * Takes the duty, unless another process has it: undefined then.
 *
 * @param onEvents told when a transaction with events has committed, soon, and not always: look now and then, too
 */
export async function takeDuty(
  { system }: Pick<Pools, 'system'>,
  onEvents: () => void,
): Promise<Duty | undefined> {
  const client = await system.connect();
  try {
    const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_lock($1) as ours', [LOCK]);
    if (rows[0]?.ours !== true) {
      client.release();
      return undefined;
    }
    await client.query(`listen ${CHANNEL}`);
  } catch (error) {
    client.release(true);
    throw error;
  }
  const lost = new AbortController();
  const lose = () => lost.abort();
  client.on('notification', onEvents).on('error', lose).on('end', lose);
  return {
    lost: lost.signal,
    drain: (limit) => drain(client, limit),
    // Closed, not given back: the lock and the listening are the connection's.
    release: () => client.release(true),
  };
}

/**
 * One statement, so there is nothing in between at which to die. Should two processes ever be at it at once, they
 * wait for each other at `event_head`, and the second finds its events published and fails.
 */
async function drain(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query({
    name: 'drain_events',
    text: `with next as (select shop_id, seq, event_id from event_queue order by seq limit $1),
                taken as (delete from event_queue q using next n where q.shop_id = n.shop_id and q.seq = n.seq),
                head as (update event_head set position = position + (select count(*) from next)
                          where exists (select from next) returning position)
           insert into event_log (shop_id, position, event_id)
           select n.shop_id, h.position - count(*) over () + row_number() over (order by n.seq), n.event_id
             from next n, head h order by n.seq`,
    values: [limit],
  });
  return rowCount ?? 0;
}
