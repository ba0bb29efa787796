/** The simulated carrier's answers against UPS's own specifications. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { carrierData } from '../adapters/carriers/support.ts';
import { alertOf } from '../../simulator/carriers/ups/alert.ts';
import { openParcels, scansUntil } from '../../simulator/carriers/parcels.ts';
import { type Carrier, NUMBER, openCarrier } from './carrier.ts';

const SPECIFICATION = z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) });

/** A schema of one of UPS's files. Whatever it does not name is a mistake of ours. */
function schemaIn(context: Mocha.Context, file: string, name: string): z.ZodType {
  const text = readFileSync(join(carrierData(context), 'ups', file), 'utf8');
  const { schemas } = SPECIFICATION.parse(parse(text)).components;
  const definitions: unknown = JSON.parse(
    JSON.stringify(schemas, (_, value: unknown) => strict(value)).replaceAll(
      '#/components/schemas/',
      '#/$defs/',
    ),
  );
  // The specification is JSON Schema but for where its definitions are.
  return z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: definitions } as never);
}

function strict(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('properties' in value)) return value;
  return { ...value, additionalProperties: false };
}

describe('the carrier simulator, held to UPS’s specifications', () => {
  let carrier: Carrier;
  beforeEach(async () => {
    carrier = await openCarrier();
  });
  afterEach(() => carrier.simulator.stop());

  const hold = (schema: z.ZodType, json: unknown) => {
    const { error } = schema.safeParse(json);
    assert.equal(error, undefined, error && z.prettifyError(error));
  };

  for (const days of [0, 1, 2, 3])
    it(`tracks as Tracking.yaml says, ${days} days on`, async function () {
      const schema = schemaIn(this, 'Tracking.yaml', 'TrackApiResponse');
      await carrier.control({ clock: { advance_s: days * 86_400 } });
      hold(schema, (await carrier.get(`/api/track/v1/details/${NUMBER}`)).json);
    });

  for (const fault of ['contradictory', 'duplicates', 'out_of_order'] as const)
    it(`keeps to the form when its scans are ${fault}`, async function () {
      const schema = schemaIn(this, 'Tracking.yaml', 'TrackApiResponse');
      await carrier.control({ fault, clock: { advance_s: 86_400 } });
      hold(schema, (await carrier.get(`/api/track/v1/details/${NUMBER}`)).json);
    });

  it('says in the specified form that it knows no such parcel', async function () {
    const schema = schemaIn(this, 'Tracking.yaml', 'TrackApiResponse');
    hold(schema, (await carrier.get('/api/track/v1/details/1Z9999999999999999')).json);
  });

  it('refuses in the specified form', async function () {
    const schema = schemaIn(this, 'Tracking.yaml', 'Response');
    hold(schema, (await carrier.get('/api/track/v1/details/1')).json);
  });

  it('gives tokens as OAuthClientCredentials.yaml says', async function () {
    const schema = schemaIn(this, 'OAuthClientCredentials.yaml', 'tokenSuccessResponse');
    hold(schema, (await carrier.token()).json);
  });

  it('takes a return as DeliveryIntercept.yaml says', async function () {
    const schema = schemaIn(this, 'DeliveryIntercept.yaml', 'DeliveryInterceptResponseV2');
    const asked = {
      requestType: 'RS',
      reasonForReturn: 'KV',
      specialInstructions: null,
      requesterContactInfo: { name: 'Shop', telephone: '+10000000000' },
    };
    hold(schema, (await carrier.post(`/api/deliveryintercept/v2/return/${NUMBER}`, asked)).json);
  });

  it('pushes every scan as UPSTrackAlert.yaml says', function () {
    const schema = schemaIn(this, 'UPSTrackAlert.yaml', 'TrackingEventRequest');
    const parcel = openParcels().add({
      from: { city: 'Newark', country: 'US' },
      to: { city: 'Baldwin', country: 'US' },
      bookedAt: new Date('2026-11-20T12:00:00Z'),
      promisedAt: new Date('2026-11-22T12:00:00Z'),
    });
    for (const scan of scansUntil(parcel, new Date('2026-12-01T00:00:00Z'))) {
      const { activityStatus, ...alert } = alertOf(parcel, scan);
      // The specification's own examples have a `descriptionCode`, which its schema does not know.
      const { descriptionCode, ...specified } = activityStatus;
      assert.match(descriptionCode, /^\d{3}$/);
      hold(schema, { ...alert, activityStatus: specified });
    }
  });
});
