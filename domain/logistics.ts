import type { OrderState, Shipment } from './orders.ts';

export const DRIVER_STATUSES = ['available', 'on_route', 'off_duty', 'sick'] as const;
export type DriverStatus = (typeof DRIVER_STATUSES)[number];

export const DELIVERY_STATUSES = ['scheduled', 'in_transit', 'delayed', 'delivered', 'failed'] as const;

/** One way to a customer. Times are ISO 8601, UTC. */
export type DeliveryRecord = {
  readonly status: (typeof DELIVERY_STATUSES)[number];
  readonly note: string | null;
  readonly scheduledFor: string | null;
  readonly updatedAt: string;
  readonly driver: { readonly driverId: string; readonly name: string; readonly status: DriverStatus } | null;
  readonly route: { readonly code: string; readonly status: string; readonly stopNo: number } | null;
};

export type OrderOnItsWay = {
  readonly orderId: string;
  readonly state: OrderState;
  /** The latest; null before there is one. */
  readonly shipment: Shipment | null;
  /** The latest; null before one is planned. */
  readonly delivery: DeliveryRecord | null;
};

export type DriverRecord = {
  readonly driverId: string;
  readonly name: string;
  readonly status: DriverStatus;
  /** Deliveries of theirs that have not ended. */
  readonly inFlight: number;
};

export interface LogisticsReader {
  /** Undefined: the shop has no such order. Accepts every spelling of `order-ids.ts`. */
  ofOrder(tenant: string, orderId: string): Promise<OrderOnItsWay | undefined>;
  /** Deliveries that have not ended, the one that is due first first. */
  inFlight(
    tenant: string,
    limit: number,
  ): Promise<{ readonly total: number; readonly deliveries: readonly OrderOnItsWay[] }>;
  /** By name. */
  drivers(
    tenant: string,
    status: DriverStatus | undefined,
    limit: number,
  ): Promise<{ readonly total: number; readonly drivers: readonly DriverRecord[] }>;
}
