import { z } from 'zod';
import { DELIVERY_STATUSES, DRIVER_STATUSES } from '../../domain/logistics.ts';
import { ORDER_STATES } from '../../domain/orders.ts';
import { instant, personal } from '../field.ts';
import { arrival } from './arrival.ts';

export const driverStatus = z.enum(DRIVER_STATUSES).describe('sick: called in sick, cannot drive.');

const delivery = z.object({
  status: z.enum(DELIVERY_STATUSES),
  note: z.string().nullable(),
  scheduled_for: instant.nullable(),
  updated_at: instant,
  driver: z
    .object({ driver_id: z.string(), name: personal(z.string()), status: driverStatus })
    .nullable()
    .describe('Null when nobody has it yet.'),
  route: z
    .object({ code: z.string(), status: z.string(), stop_no: z.int() })
    .nullable()
    .describe('The driver’s round, and which stop of it this is.'),
});

/** An order on its way, for those who move it. */
export const onItsWay = {
  order_id: z.string(),
  order_status: z.enum(ORDER_STATES),
  carrier: z.string().nullable(),
  tracking_number: z.string().nullable(),
  promised_delivery: instant.nullable(),
  ...arrival,
  days_late: z
    .int()
    .min(0)
    .describe('Whole days from the promised to the estimated delivery; 0 when on time.'),
  delivery: delivery.nullable().describe('Null when no delivery is planned.'),
} as const;

export const driver = z.object({
  driver_id: z.string(),
  name: personal(z.string()),
  status: driverStatus,
  in_flight: z.int().min(0).describe('Deliveries of theirs that have not ended.'),
});

export const driverList = {
  total: z.int().describe('How many there are in all.'),
  drivers: z.array(driver).describe('By name, at most 200.'),
} as const;
