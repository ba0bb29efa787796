import type { DriverRecord, OrderOnItsWay } from '../../domain/logistics.ts';
import { daysLate } from '../../domain/orders.ts';
import type { Arrival } from './arrival.ts';

export function wayOf({ orderId, state, shipment, delivery }: OrderOnItsWay, arrival: Arrival) {
  const promised = shipment?.promisedDelivery ?? null;
  return {
    order_id: orderId,
    order_status: state,
    carrier: shipment?.carrier ?? null,
    tracking_number: shipment?.trackingNumber ?? null,
    promised_delivery: promised,
    ...arrival,
    days_late: daysLate(promised, arrival.estimated_delivery),
    delivery: delivery && {
      status: delivery.status,
      note: delivery.note,
      scheduled_for: delivery.scheduledFor,
      updated_at: delivery.updatedAt,
      driver: delivery.driver && driverIn(delivery.driver),
      route: delivery.route && {
        code: delivery.route.code,
        status: delivery.route.status,
        stop_no: delivery.route.stopNo,
      },
    },
  };
}

function driverIn({ driverId, name, status }: Omit<DriverRecord, 'inFlight'>) {
  return { driver_id: driverId, name, status };
}

export function driverOf(driver: DriverRecord) {
  return { ...driverIn(driver), in_flight: driver.inFlight };
}
