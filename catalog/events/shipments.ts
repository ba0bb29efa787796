import { z } from 'zod';
import { PARCEL_STATES } from '../../domain/carriers.ts';
import { instant } from '../field.ts';
import { defineEvent } from './define.ts';

export const shipmentEtaChanged = defineEvent({
  topic: 'shipment_eta_changed',
  version: 1,
  means: 'A carrier named another arrival for a parcel than the one on record.',
  key: 'order_id',
  payload: z.strictObject({
    order_id: z.string().describe('Order number as the shop prints it.'),
    carrier: z.string(),
    tracking_number: z.string(),
    parcel_state: z.enum(PARCEL_STATES).describe('What the parcel is doing.'),
    from: instant.nullable().describe('The arrival that was on record; null when none was.'),
    to: instant.describe('The arrival that the carrier names now.'),
    seen_at: instant.describe('When the carrier said so.'),
  }),
});
