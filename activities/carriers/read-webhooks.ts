import type { Cache } from '../../domain/cache.ts';
import { type CarrierReceipts, etaToldBy } from '../../domain/carrier-push.ts';
import type { EtaStore } from '../../domain/carriers.ts';
import type { Reaction } from '../../domain/events.ts';
import { parcelKey } from '../logistics/keys.ts';
import { keysShowing } from '../orders/keys.ts';

export type WebhookReader = {
  readonly receipts: CarrierReceipts;
  readonly cache: Pick<Cache, 'invalidate'>;
  /** Where what is said of arrivals is kept; nowhere, if there is no such place. */
  readonly etas?: Pick<EtaStore, 'keep'>;
};

/**
 * Reads what a carrier pushed, after the door has answered: keeps what it says of the arrival, tells every order of
 * the parcel, and voids the answers that show them. The event names a receipt and is believed in nothing else.
 */
export function readWebhooks({ receipts, cache, etas }: WebhookReader): Reaction {
  return {
    consumer: 'carrier-webhooks',
    topics: ['carrier_webhook_received'],
    react: async ({ tenant, payload, at }) => {
      const { receipt } = payload;
      if (typeof receipt !== 'string' || !/^\d{1,18}$/.test(receipt)) return;
      const parcel = await receipts.look(tenant, receipt);
      // Before the receipt ends: a later scan is not overwritten, so a repeat does no harm, and nothing is forgotten.
      if (parcel !== undefined && etas !== undefined) {
        for (const order of parcel.orders) {
          await etas.keep(tenant, etaToldBy(parcel.tracking, order, at));
          await cache.invalidate(parcelKey(tenant, order));
        }
      }
      const touched = await receipts.settle(tenant, receipt);
      const keys = touched.flatMap((one) => keysShowing(tenant, one));
      await Promise.all(keys.map((key) => cache.invalidate(key)));
    },
  };
}
