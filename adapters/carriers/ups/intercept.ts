import { z } from 'zod';
import type { CarrierClient } from '../../../domain/carriers.ts';
import { CarrierFault } from '../faults.ts';
import { listOf, part, text } from '../loose.ts';
import { errorCodes, refused, transIdOf, type UpsSettings, type UpsWire } from './interface.ts';

type Request = Parameters<CarrierClient['intercept']>[0];
type Outcome = Awaited<ReturnType<CarrierClient['intercept']>>;

/** UPS intercepts what it shipped itself: small packages. */
const SMALL_PACKAGE = /^1Z[A-Z0-9]{16}$/;

const HEADERS = { platformType: 'XOLT', inquiryType: 'U' };

const ANSWER = z.object({ transactionId: text, statusCode: text, success: z.boolean() });

const ELIGIBILITY = z.object({
  response: z.object({
    commonEligibilityMap: listOf(
      z.object({ interceptFeature: text, eligibilityValue: part({ cancelEligibility: text }) }),
    ),
  }),
});

/**
 * Delivery Intercept v2. UPS takes a request once: it refuses a second one of the same kind. A refusal is therefore
 * an acceptance when such a request is there to be cancelled, left by an attempt whose answer was lost.
 */
export async function upsIntercept(
  wire: UpsWire,
  settings: UpsSettings,
  { trackingNumber, what }: Request,
  key: string,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!SMALL_PACKAGE.test(trackingNumber))
    throw new CarrierFault('unsupported', 'UPS intercepts packages with a 1Z number only.', {
      untouched: true,
    });
  const transId = transIdOf(key);
  const path = what.kind === 'return_to_sender' ? 'return' : 'redirect/address';
  const answer = await wire.post(
    `/deliveryintercept/v2/${path}/${trackingNumber}`,
    bodyOf(settings, what),
    signal,
    { transId, headers: HEADERS },
  );
  const outcome = outcomeOf(answer);
  if (outcome.accepted) return outcome;
  const isThere = await alreadyAsked(wire, trackingNumber, what.kind, signal);
  return isThere ? { accepted: true, reference: transId } : outcome;
}

function outcomeOf(answer: { readonly status: number; readonly json: unknown }): Outcome {
  if (answer.status === 404) throw refused('unknown_number', answer);
  if (answer.status >= 400) {
    if (errorCodes(answer.json).length === 0)
      throw new CarrierFault('garbled', 'UPS refused without a reason.');
    return { accepted: false, reference: errorCodes(answer.json)[0] ?? '' };
  }
  const parsed = ANSWER.safeParse(answer.json);
  if (!parsed.success) throw new CarrierFault('garbled', 'UPS’s answer to an intercept makes no sense.');
  const { success, transactionId, statusCode } = parsed.data;
  return { accepted: success, reference: (success ? transactionId : statusCode) ?? '' };
}

/** UPS's features, by what we ask for. */
const FEATURE = { return_to_sender: 'RTS', redirect: 'RD' } as const;

async function alreadyAsked(
  wire: UpsWire,
  trackingNumber: string,
  kind: keyof typeof FEATURE,
  signal: AbortSignal,
): Promise<boolean> {
  const { json } = await wire.get(
    `/deliveryintercept/v2/eligibility/intercept/${trackingNumber}`,
    signal,
    HEADERS,
  );
  const parsed = ELIGIBILITY.safeParse(json);
  if (!parsed.success) return false;
  return parsed.data.response.commonEligibilityMap.some(
    ({ interceptFeature, eligibilityValue }) =>
      interceptFeature === FEATURE[kind] && eligibilityValue?.cancelEligibility === 'ELIGIBLE',
  );
}

function bodyOf({ shipper }: UpsSettings, what: Request['what']) {
  const common = {
    specialInstructions: null,
    requesterContactInfo: { name: shipper.name.slice(0, 30), telephone: phoneOf(shipper.phone) },
  };
  // KV: "Other". The real reason is ours, and nobody's business on the way.
  if (what.kind === 'return_to_sender') return { ...common, requestType: 'RS', reasonForReturn: 'KV' };
  const { to } = what;
  return {
    ...common,
    requestType: 'AA',
    newDeliveryAddress: {
      nameOrCompanyName: to.name ?? shipper.name,
      addressInfo: {
        addressLine1: to.line1.slice(0, 50),
        ...(to.line2 === undefined ? {} : { addressLine2: to.line2.slice(0, 35) }),
        city: to.city.slice(0, 30),
        state: to.region,
        postalCode: to.postalCode,
        countryCode: to.country,
      },
    },
  };
}

/** `+` and at most 13 digits. */
function phoneOf(phone: string): string {
  return `+${phone.replaceAll(/\D/g, '').slice(0, 13)}`;
}
