import type { ParcelState } from '../../domain/carriers.ts';
import { fedexState } from './fedex/status.ts';
import { upsState } from './ups/status.ts';

/** How each family of carriers codes a scan. */
export type CarrierCode =
  | { readonly family: 'ups'; readonly type?: string | undefined; readonly statusCode?: string | undefined }
  | {
      readonly family: 'fedex';
      readonly eventType?: string | undefined;
      readonly derivedCode?: string | undefined;
    };

/** What a carrier's code means, from its own table. A code that is not there is `unknown`. */
export function parcelState(code: CarrierCode): ParcelState {
  return code.family === 'ups'
    ? upsState(code.type, code.statusCode)
    : fedexState(code.eventType, code.derivedCode);
}
