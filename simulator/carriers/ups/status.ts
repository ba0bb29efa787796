import type { ParcelState } from '../../../domain/carriers.ts';

export type UpsStatus = {
  readonly type: string;
  readonly code: string;
  readonly statusCode: string;
  readonly description: string;
};

/** Words and numbers of UPS's table "Status/Description Codes". */
const STATUSES: Readonly<Record<ParcelState, UpsStatus>> = {
  pending: { type: 'M', code: 'MP', statusCode: '003', description: 'Shipment Ready for UPS' },
  picked_up: { type: 'P', code: 'PU', statusCode: '038', description: 'Picked Up by UPS' },
  in_transit: { type: 'I', code: 'DP', statusCode: '005', description: 'On the Way' },
  out_for_delivery: { type: 'I', code: 'OT', statusCode: '021', description: 'Out for Delivery' },
  ready_for_pickup: { type: 'I', code: 'Z4', statusCode: '040', description: 'Ready for Customer Pickup' },
  delivered: { type: 'D', code: 'FS', statusCode: '011', description: 'Delivered' },
  delivery_failed: { type: 'X', code: 'VE', statusCode: '022', description: 'First Attempt Made' },
  delivery_delayed: { type: 'X', code: 'WY', statusCode: '046', description: 'Delay' },
  on_hold: { type: 'X', code: 'FP', statusCode: '019', description: 'Held for Future Delivery' },
  return_to_sender: { type: 'RS', code: 'RS', statusCode: '035', description: 'Returning to Sender' },
  cancelled: { type: 'MV', code: 'VM', statusCode: '007', description: 'Shipment Information Voided' },
  unknown: { type: 'ZZ', code: 'ZZ', statusCode: '999', description: 'Status Not Available' },
};

export function statusOf(state: ParcelState): UpsStatus {
  return STATUSES[state];
}

/** Type and code of a delivery that was none: which of the two is right, nobody can tell. */
export const CONTRADICTION: UpsStatus = {
  type: 'D',
  code: 'FS',
  statusCode: '021',
  description: 'Out for Delivery',
};
