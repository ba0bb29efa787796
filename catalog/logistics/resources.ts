import { z } from 'zod';
import { defineResource } from '../define.ts';
import { facts, field } from '../field.ts';
import { driverList, onItsWay } from './shapes.ts';

const LOGISTICS_READ = ['logistics:read'] as const;

export const deliveriesInFlight = defineResource({
  name: 'deliveries_in_flight',
  server: 'logistics',
  uri: 'logistics://deliveries/in-flight',
  title: 'In-flight deliveries',
  description:
    'Deliveries that have not ended, the one that is due first first, at most 100, with arrival, days late and driver. NEVER infer a delivery that is not in it.',
  scopes: LOGISTICS_READ,
  timeoutSeconds: 10,
  params: z.strictObject({}),
  output: z.object({
    total: z.int().describe('How many there are in all.'),
    deliveries: z.array(z.object(onItsWay)),
    ...facts,
  }),
});

export const drivers = defineResource({
  name: 'drivers',
  server: 'logistics',
  uri: 'logistics://drivers',
  title: 'Drivers',
  description: 'Every driver with status and deliveries in flight. NEVER infer a driver that is not in it.',
  scopes: LOGISTICS_READ,
  timeoutSeconds: 5,
  params: z.strictObject({}),
  output: z.object({ ...driverList, ...facts }),
});

export const orderDelivery = defineResource({
  name: 'order_delivery',
  server: 'logistics',
  uri: 'logistics://delivery/{order_id}',
  title: 'Delivery of an order',
  description:
    'How the delivery of one order goes: shipment, arrival, days late, delivery, driver and route. NEVER infer causes that are not in it.',
  scopes: LOGISTICS_READ,
  timeoutSeconds: 5,
  params: z.strictObject({ order_id: field.order_id }),
  output: z.object({ ...onItsWay, ...facts }),
  complete: { order_id: 'order_id' },
});
