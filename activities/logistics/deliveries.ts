import type { ResourceBodies, ToolBodies } from '../../catalog/index.ts';
import type { Clock } from '../../domain/clock.ts';
import type { DriverStatus, LogisticsReader } from '../../domain/logistics.ts';
import { Refusal } from '../../domain/refusal.ts';
import { uncachedFacts } from '../facts.ts';
import { type Arrivals, onFile } from './arrival.ts';
import { driverOf, wayOf } from './views.ts';

const MOST_DELIVERIES = 100;
const MOST_DRIVERS = 200;

export type LogisticsDeps = {
  readonly logistics: LogisticsReader;
  readonly arrivals: Arrivals;
  readonly realTime: Clock;
};

export function getDeliveryStatus(deps: LogisticsDeps): ToolBodies['get_delivery_status'] {
  return async ({ caller: { tenant }, input: { order_id } }) => {
    const way = await wayOfOrder(deps, tenant, order_id);
    if (way === undefined) {
      const message = `No order ${order_id} was found. Do not infer.`;
      return { status: 'not_found', message, shipment: null, ...uncachedFacts(deps.realTime) };
    }
    return { status: 'found', message: wordsFor(way), shipment: way, ...uncachedFacts(deps.realTime) };
  };
}

/** @throws {Refusal} not_found */
export function orderDelivery(deps: LogisticsDeps): ResourceBodies['order_delivery'] {
  return async ({ caller: { tenant }, input: { order_id } }) => {
    const way = await wayOfOrder(deps, tenant, order_id);
    if (way === undefined) throw new Refusal('not_found', 'There is no such order. Do not infer.');
    return { ...way, ...uncachedFacts(deps.realTime) };
  };
}

/** With the dates on file: a hundred parcels are not asked about at once. */
export function deliveriesInFlight({
  logistics,
  realTime,
}: LogisticsDeps): ResourceBodies['deliveries_in_flight'] {
  return async ({ caller: { tenant } }) => {
    const { total, deliveries } = await logistics.inFlight(tenant, MOST_DELIVERIES);
    return {
      total,
      deliveries: deliveries.map((one) => wayOf(one, onFile(one.shipment?.estimatedDelivery ?? null))),
      ...uncachedFacts(realTime),
    };
  };
}

export function listDrivers(deps: LogisticsDeps): ToolBodies['list_drivers'] {
  return ({ caller: { tenant }, input: { status } }) => driversOf(deps, tenant, status);
}

export function drivers(deps: LogisticsDeps): ResourceBodies['drivers'] {
  return ({ caller: { tenant } }) => driversOf(deps, tenant, undefined);
}

async function driversOf(
  { logistics, realTime }: LogisticsDeps,
  tenant: string,
  status: DriverStatus | undefined,
) {
  const found = await logistics.drivers(tenant, status, MOST_DRIVERS);
  return { total: found.total, drivers: found.drivers.map(driverOf), ...uncachedFacts(realTime) };
}

async function wayOfOrder({ logistics, arrivals }: LogisticsDeps, tenant: string, orderId: string) {
  const found = await logistics.ofOrder(tenant, orderId);
  if (found === undefined) return undefined;
  const { state, shipment } = found;
  return wayOf(found, await arrivals(tenant, { state, shipment: shipment ?? undefined }));
}

function wordsFor({
  order_id,
  order_status,
  delivery,
  days_late,
  estimated_delivery,
  freshness,
}: ReturnType<typeof wayOf>) {
  const late = days_late === 0 ? '' : `, ${days_late} day(s) late`;
  const stale = freshness === 'stale' ? ' (last known, the carrier does not answer)' : '';
  const arrival =
    estimated_delivery === null ? 'no arrival is known' : `expected ${estimated_delivery}${stale}${late}`;
  const driver = delivery?.driver ? ` The driver is ${delivery.driver.status}.` : '';
  return `Order ${order_id}: ${order_status}, ${arrival}.${driver}`;
}
