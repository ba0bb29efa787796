import type { ParcelState } from '../../../domain/carriers.ts';

/**
 * UPS's table "Status/Description Codes". Left out is what tells no state of the parcel (0 "Status Not Available",
 * 27 "Delivery Address Change Requested", 155 "Delivery Photo" …) and what is too general to tell one
 * (13 "Exception", 143 "Delivered to Agent"): for those the status type speaks.
 */
const CODES: Readonly<Partial<Record<ParcelState, readonly number[]>>> = {
  pending: [3, 44, 45, 65, 77, 79, 80, 131, 135, 157, 166],
  picked_up: [38, 160, 167, 168, 169],
  in_transit: [
    5, 10, 12, 14, 16, 25, 39, 47, 57, 71, 72, 73, 74, 75, 84, 87, 92, 134, 137, 138, 158, 159, 164, 165,
  ],
  out_for_delivery: [6, 21, 37, 78, 89, 91, 146, 162],
  // "Delivered" to a counter is not delivered: the customer has yet to come.
  ready_for_pickup: [17, 40, 144, 161],
  delivered: [11, 26],
  delivery_failed: [22, 23, 24, 60, 61, 62, 64, 66, 69, 145],
  delivery_delayed: [32, 46, 48, 49, 51, 52, 53, 55, 86, 90, 132, 136],
  on_hold: [19, 29, 50, 58, 59, 68, 83, 85, 104, 123, 124, 125, 126, 129, 139, 141, 147],
  return_to_sender: [34, 35, 36, 67, 81, 118],
  cancelled: [7, 43],
};

const STATE_OF_CODE = new Map(
  Object.entries(CODES).flatMap(([state, codes]) =>
    // Keys of CODES are states by its type; Object.entries forgets it.
    codes.map((code) => [code, state as ParcelState] as const),
  ),
);

/** Status types, and the states of the table that say the same more exactly. */
const TYPES: Readonly<
  Record<string, { readonly state: ParcelState; readonly refined: readonly ParcelState[] }>
> = {
  D: { state: 'delivered', refined: ['delivered', 'ready_for_pickup', 'return_to_sender'] },
  I: {
    state: 'in_transit',
    refined: [
      'pending',
      'picked_up',
      'in_transit',
      'out_for_delivery',
      'ready_for_pickup',
      'delivery_failed',
      'delivery_delayed',
      'on_hold',
      'return_to_sender',
    ],
  },
  M: { state: 'pending', refined: ['pending'] },
  MV: { state: 'cancelled', refined: ['cancelled'] },
  P: { state: 'picked_up', refined: ['picked_up', 'pending', 'in_transit'] },
  O: { state: 'out_for_delivery', refined: ['out_for_delivery'] },
  X: {
    state: 'on_hold',
    refined: [
      'on_hold',
      'delivery_failed',
      'delivery_delayed',
      'ready_for_pickup',
      'return_to_sender',
      'cancelled',
    ],
  },
  RS: { state: 'return_to_sender', refined: ['return_to_sender'] },
  // Freight that reached a container station, or lies in a warehouse, has not arrived.
  DO: { state: 'in_transit', refined: ['in_transit'] },
  DD: { state: 'in_transit', refined: ['in_transit'] },
  W: { state: 'in_transit', refined: ['in_transit', 'on_hold'] },
};

/**
 * Status type and status code together. Where they contradict each other the type is believed, except about a
 * delivery: that counts only when nothing speaks against it.
 */
export function upsState(type: string | undefined, statusCode: string | undefined): ParcelState {
  const known = type !== undefined && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  const exact = /^\d{1,3}$/.test(statusCode ?? '') ? STATE_OF_CODE.get(Number(statusCode)) : undefined;
  if (known === undefined) return type === undefined || type === '' ? (exact ?? 'unknown') : 'unknown';
  if (exact === undefined || exact === known.state) return known.state;
  if (known.refined.includes(exact)) return exact;
  return exact === 'delivered' || known.state === 'delivered' ? 'unknown' : known.state;
}

/** Types and codes that tell something else than where the parcel is: a changed date, a photo. */
export function tellsNoState(type: string | undefined, statusCode: string | undefined): boolean {
  return type === 'U' || /^0?15[345]$/.test(statusCode ?? '');
}
