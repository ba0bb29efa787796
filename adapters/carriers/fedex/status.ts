import type { ParcelState } from '../../../domain/carriers.ts';

/** FedEx's scan event codes ("Track Service: event types"). */
const EVENTS: Readonly<Record<string, ParcelState>> = {
  AA: 'in_transit', // at airport
  AC: 'in_transit', // at Canada Customs
  AD: 'out_for_delivery', // at delivery
  AF: 'in_transit', // at FedEx facility
  AP: 'pending', // at pickup
  AR: 'in_transit', // arrived
  AX: 'in_transit', // at USPS facility
  CA: 'cancelled', // shipment cancelled
  CC: 'in_transit', // cleared customs
  CD: 'on_hold', // clearance delay
  CP: 'in_transit', // clearance in progress
  DD: 'delivery_delayed', // delivery delay
  DE: 'delivery_failed', // delivery exception
  DL: 'delivered',
  DP: 'in_transit', // departed
  DS: 'out_for_delivery', // vehicle dispatched
  DY: 'delivery_delayed', // delay
  EA: 'in_transit', // en route to airport
  ED: 'out_for_delivery', // en route to delivery
  EO: 'in_transit', // en route to origin airport
  EP: 'pending', // en route to pickup
  FD: 'in_transit', // at FedEx destination
  HL: 'ready_for_pickup', // hold at location
  HP: 'ready_for_pickup', // ready for recipient pickup
  IN: 'pending', // label created
  IT: 'in_transit',
  IX: 'in_transit', // in transit, see details
  LO: 'in_transit', // left origin
  OC: 'pending', // order created
  OD: 'out_for_delivery',
  OF: 'in_transit', // at FedEx origin facility
  OX: 'in_transit', // shipment information sent to USPS
  PD: 'pending', // pickup delay
  PF: 'in_transit', // plane in flight
  PL: 'in_transit', // plane landed
  PM: 'in_transit', // in progress
  PU: 'picked_up',
  PX: 'picked_up', // see details
  RL: 'delivery_delayed', // running late
  RS: 'return_to_sender',
  SE: 'on_hold', // shipment exception
  SF: 'in_transit', // at sort facility
  TR: 'in_transit', // transfer
};

/** Scans about punctuality or wishes: they tell nothing about where the parcel is. */
const NO_STATE = new Set(['AE', 'AO', 'CH', 'DR', 'LP', 'RC', 'RD', 'RG', 'RM', 'RP', 'RR', 'SP']);

/** The event type; for one that is not in the table, the code that FedEx itself derives from it. */
export function fedexState(eventType: string | undefined, derivedCode?: string): ParcelState {
  if (eventType !== undefined && NO_STATE.has(eventType)) return 'unknown';
  return listed(eventType) ?? listed(derivedCode) ?? 'unknown';
}

function listed(code: string | undefined): ParcelState | undefined {
  return code !== undefined && Object.hasOwn(EVENTS, code) ? EVENTS[code] : undefined;
}
