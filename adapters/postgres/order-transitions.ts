import type { OutgoingEvent } from '../../domain/events.ts';
import type { EventProblem, Step } from '../../domain/order-lifecycle.ts';
import type { KeptEvent, Living } from './order-living.ts';
import { settleTransition } from './order-settlement.ts';
import { noteFailedAttempt, showParcel } from './order-parcels.ts';
import { publishWithin } from './outbox.ts';
import type { Sql } from './pools.ts';

/** Takes the steps one by one: state, history, stock and money, and what is published of it. */
export async function applyEvent(sql: Sql, living: Living, event: KeptEvent, path: readonly Step[]) {
  await giveVerdict(sql, living, event, 'applied');
  const published: OutgoingEvent[] = [];
  for (const step of path) {
    const at = await writeStep(sql, living, event, step);
    const { eventId } = event;
    const { from, to } = step;
    await settleTransition(sql, living.tenant, { orderId: living.order, from, to, event: { eventId } });
    published.push(changed(living, event, step, at));
  }
  await showParcel(sql, living, event, path);
  await publishWithin(sql, living.tenant, published);
}

/** Kept for people to look at. A failed attempt is a note of the delivery (X-05: the diagram has no arrow for it). */
export async function refuseEvent(sql: Sql, living: Living, event: KeptEvent, reason: EventProblem) {
  await giveVerdict(sql, living, event, 'refused', reason);
  if (reason === 'attempt_failed') await noteFailedAttempt(sql, living, event);
  await publishWithin(sql, living.tenant, [refused(living, event, reason)]);
}

/** It changes no state; what it says of another parcel of the order is kept all the same. */
export async function repeatEvent(sql: Sql, living: Living, event: KeptEvent): Promise<void> {
  await giveVerdict(sql, living, event, 'repeated');
  await showParcel(sql, living, event, []);
}

async function giveVerdict(
  sql: Sql,
  { tenant, order }: Living,
  { eventId }: KeptEvent,
  verdict: 'applied' | 'refused' | 'repeated',
  reason: EventProblem | null = null,
): Promise<void> {
  const { rowCount } = await sql.query(
    `update order_events set verdict = $3, reason = $4, judged_at = clock_timestamp(),
            judged_no = (select coalesce(max(judged_no), 0) + 1 from order_events where shop_id = $1 and order_id = $5)
      where shop_id = $1 and event_id = $2`,
    [tenant, eventId, verdict, reason, order],
  );
  if (rowCount !== 1) throw new Error('An event vanished while its order was locked.');
}

/** @returns when it is on record to have happened: never before the step that led to it */
async function writeStep(sql: Sql, living: Living, event: KeptEvent, step: Step): Promise<string> {
  const { tenant, order } = living;
  const { rows } = await sql.query<{ at: Date }>(
    `with step as (
       insert into order_status_history (shop_id, order_id, from_status, to_status, at, cause, actor, event_id, source, inferred)
       values ($1, $2, $3, $4,
               greatest($5, (select max(at) from order_status_history where shop_id = $1 and order_id = $2)),
               $6, $7, $8, $9, $10)
       returning at)
     update orders set status = $4, fulfilled_date = case when $4 = 'Delivered' then step.at end
       from step where shop_id = $1 and id = $2
     returning step.at`,
    [
      tenant,
      order,
      step.from,
      step.to,
      event.happenedAt,
      event.cause === null ? event.kind : `${event.kind}:${event.cause}`,
      event.actor,
      event.eventId,
      event.source,
      step.inferred,
    ],
  );
  const [written] = rows;
  if (written === undefined) throw new Error('An order vanished while it was locked.');
  return written.at.toISOString();
}

function changed(living: Living, event: KeptEvent, { from, to, inferred }: Step, at: string): OutgoingEvent {
  const { kind, source, eventId } = event;
  const { order, orderId } = living;
  return {
    // An order passes a state once.
    eventId: `order:${order}:${to}`,
    topic: 'order_status_changed',
    version: 1,
    key: orderId,
    payload: {
      order_id: orderId,
      from,
      to,
      cause: kind,
      source,
      event_id: eventId,
      inferred,
      happened_at: at,
    },
    at: new Date().toISOString(),
  };
}

function refused(living: Living, event: KeptEvent, reason: EventProblem): OutgoingEvent {
  const { kind, source, eventId } = event;
  const { orderId, state } = living;
  return {
    eventId: `refused:${eventId}`,
    topic: 'order_event_refused',
    version: 1,
    key: orderId,
    payload: { order_id: orderId, state, kind, source, event_id: eventId, reason },
    at: new Date().toISOString(),
  };
}
