import {
  type CarrierClient,
  CarrierError,
  type CarrierMetrics,
  type Patience,
  type RateQuote,
} from '../../domain/carriers.ts';
import type { Settings } from '../../platform/config.ts';
import type { Logger } from '../../platform/log.ts';
import { unsupported } from './faults.ts';
import { createFedexClient } from './fedex/client.ts';
import { carrierNamed } from './numbers/carrier-names.ts';
import { isMisread, recogniseNumber } from './numbers/recognise.ts';
import type { OneCarrier } from './one-carrier.ts';
import { createGuard, type Guard, RESILIENCE } from './resilient.ts';
import { createUpsClient } from './ups/client.ts';

/** Every carrier that is configured, each behind its own guard. */
export function openCarriers(
  { carriers: settings }: Pick<Settings, 'carriers'>,
  log: Logger,
  metrics?: CarrierMetrics,
): CarrierClient {
  const { ups, fedex, shipper, ...limits } = settings;
  const clients = [
    ...(ups === undefined ? [] : [createUpsClient({ ...ups, shipper })]),
    ...(fedex === undefined ? [] : [createFedexClient(fedex)]),
  ];
  const told: CarrierMetrics = {
    attempt: (carrier, operation, outcome, seconds) => metrics?.attempt(carrier, operation, outcome, seconds),
    circuit: (carrier, state) => {
      log[state === 'open' ? 'warn' : 'info']({ carrier, state }, 'a carrier’s circuit changed');
      metrics?.circuit(carrier, state);
    },
  };
  return routeCarriers(
    clients.map((client) => ({
      client,
      guard: createGuard(client.name, { ...RESILIENCE, ...limits }, told),
    })),
  );
}

export type Guarded = { readonly client: OneCarrier; readonly guard: Guard };

/** One client over several: the parcel's carrier by name or number, rates from the first that quotes. */
export function routeCarriers(carriers: readonly Guarded[]): CarrierClient {
  return {
    track: async (carrier, trackingNumber, patience) => {
      const { client, guard } = carrierOf(carriers, carrier, trackingNumber);
      return guard({ name: 'track', kind: 'read' }, patience, (signal) =>
        client.track(trackingNumber, signal),
      );
    },
    rate: (from, to, parcel, patience) =>
      firstOf(carriers, patience, ({ client, guard }, share) =>
        guard({ name: 'rate', kind: 'read' }, share, (signal) => client.rate(from, to, parcel, signal)),
      ),
    label: async (request, key, patience) => {
      const { client, guard } = carriers.find((one) => offers(one, request.service)) ?? first(carriers);
      return guard({ name: 'label', kind: 'write' }, patience, (signal) =>
        client.label(request, key, signal),
      );
    },
    intercept: async (request, key, patience) => {
      const { client, guard } = carrierOf(carriers, request.carrier, request.trackingNumber);
      return guard({ name: 'intercept', kind: 'write' }, patience, (signal) =>
        client.intercept(request, key, signal),
      );
    },
  };
}

/** By name; where the name says nothing, by the number. */
function carrierOf(carriers: readonly Guarded[], name: string, trackingNumber: string): Guarded {
  const named = carrierNamed(name);
  const possible =
    named === undefined ? recogniseNumber(trackingNumber).map(({ courier }) => courier) : [named];
  const found = carriers.find(({ client }) => possible.some((one) => carrierNamed(client.name) === one));
  if (found === undefined) return unsupported(possible[0] ?? 'this parcel', 'tracking');
  if (isMisread(carrierNamed(found.client.name), trackingNumber))
    throw new CarrierError('unknown_number', 'The check digit of this tracking number is wrong.');
  return found;
}

/** Services are named after their carrier ("UPS Ground"). */
function offers({ client }: Guarded, service: string): boolean {
  return service.toLowerCase().startsWith(`${client.name.toLowerCase()} `);
}

function first(carriers: readonly Guarded[]): Guarded {
  return carriers[0] ?? unsupported('any carrier', 'shipping');
}

/** While others could stand in, one carrier may take this part of the time that is left. */
const FALLBACK_SHARE = 0.6;

/** The first carrier that quotes. Those without rates are passed over; of several failures the first is told. */
async function firstOf(
  carriers: readonly Guarded[],
  patience: Patience,
  ask: (carrier: Guarded, patience: Patience) => Promise<readonly RateQuote[]>,
): Promise<readonly RateQuote[]> {
  const end = performance.now() + patience.deadlineMs;
  let failure: CarrierError | undefined;
  for (const [i, carrier] of carriers.entries()) {
    const left = end - performance.now();
    const deadlineMs = i === carriers.length - 1 ? left : left * FALLBACK_SHARE;
    try {
      return await ask(carrier, { ...patience, deadlineMs });
    } catch (error) {
      if (!(error instanceof CarrierError)) throw error;
      if (failure === undefined || failure.problem === 'unsupported') failure = error;
    }
  }
  throw failure ?? unsupported('any carrier', 'rating');
}
