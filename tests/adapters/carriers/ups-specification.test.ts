/** UPS's adapter against a mock that serves UPS's own specifications and says what a request breaks of them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { createUpsClient } from '../../../adapters/carriers/ups/client.ts';
import type { OneCarrier } from '../../../adapters/carriers/one-carrier.ts';
import type { Address } from '../../../domain/carriers.ts';
import { startPrism, type Prism } from './prism.ts';
import { carrierData, CREDENTIALS, problem } from './support.ts';

/** The number in the specification's own example. */
const EXAMPLE = '1Z023E2X0214323462';
const SHIPPER = { name: 'Countersign Manga', phone: '+81 3 1234 5678' };
const BALDWIN: Address = {
  name: 'Kristina Leo',
  line1: '12911 Fork Rd',
  city: 'Baldwin',
  region: 'MD',
  postalCode: '21013',
  country: 'US',
};

const signal = () => AbortSignal.timeout(10_000);
const clientOf = ({ url }: Prism): OneCarrier => createUpsClient({ url, ...CREDENTIALS, shipper: SHIPPER });

describe('UPS’s own Tracking specification', () => {
  let prism: Prism;
  before(async function () {
    this.timeout(180_000);
    prism = await startPrism(this, join(carrierData(this), 'ups/Tracking.yaml'), '/api');
  });
  after(() => prism?.close());
  beforeEach(() => prism.answerWith(undefined));

  it('finds nothing wrong with our request, and we read its example', async () => {
    const { state, events } = await clientOf(prism).track(EXAMPLE, signal());
    assert.deepEqual([prism.violations, state, events.length], [[], 'on_hold', 1]);
  });

  it('keeps the offset of its example', async () => {
    const { events } = await clientOf(prism).track(EXAMPLE, signal());
    assert.deepEqual(
      events.map(({ at, zoneKnown }) => [at, zoneKnown]),
      [['2021-02-10T12:13:56.000Z', true]],
    );
  });

  it('tells of another parcel than the one asked for, and we do not take it for ours', async () => {
    await assert.rejects(clientOf(prism).track('1Z5R89390357567127', signal()), problem('garbled'));
  });

  for (const [code, expected] of [
    [403, 'unauthorised'],
    [404, 'unknown_number'],
    [500, 'down'],
    [503, 'down'],
  ] as const)
    it(`answers ${code}, and we say ${expected}`, async () => {
      prism.answerWith(code);
      await assert.rejects(clientOf(prism).track(EXAMPLE, signal()), problem(expected));
    });
});

describe('UPS’s own Delivery Intercept specification', () => {
  let prism: Prism;
  let folder: string;
  before(async function () {
    this.timeout(180_000);
    folder = await mkdtemp(join(tmpdir(), 'ups-'));
    const file = await withoutMisplaced(join(carrierData(this), 'ups/DeliveryIntercept.yaml'), folder);
    prism = await startPrism(this, file, '/api/deliveryintercept/v2');
  });
  after(async () => {
    await prism?.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    prism.answerWith(undefined);
    prism.violations.length = 0;
  });

  const intercept = (what: Parameters<OneCarrier['intercept']>[0]['what']) =>
    clientOf(prism).intercept({ carrier: 'UPS', trackingNumber: EXAMPLE, what }, 'action-1', signal());

  it('finds nothing wrong with our asking for a return', async () => {
    assert.deepEqual(await intercept({ kind: 'return_to_sender' }), { accepted: true, reference: 'ASR1212' });
    assert.deepEqual(prism.violations, []);
  });

  it('finds nothing wrong with our asking for another address', async () => {
    assert.deepEqual(await intercept({ kind: 'redirect', to: BALDWIN }), {
      accepted: true,
      reference: 'ASR1212',
    });
    assert.deepEqual(prism.violations, []);
  });

  it('would find a country that is none', async () => {
    await clientOf(prism).intercept(
      {
        carrier: 'UPS',
        trackingNumber: EXAMPLE,
        what: { kind: 'redirect', to: { ...BALDWIN, country: 'usa' } },
      },
      'action-2',
      signal(),
    );
    assert.equal(prism.violations.length > 0, true);
  });

  it('refuses, and we say so with its code', async () => {
    prism.answerWith(400);
    assert.deepEqual(await intercept({ kind: 'return_to_sender' }), { accepted: false, reference: '710' });
  });
});

const SPECIFICATION = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({ parameters: z.array(z.looseObject({ name: z.string().optional() })) }),
    ),
  ),
});

/** Every operation asks for a path parameter `version`, which is in the server's address and in none of the paths. */
async function withoutMisplaced(file: string, folder: string): Promise<string> {
  const specification = SPECIFICATION.parse(parse(await readFile(file, 'utf8')));
  for (const operation of Object.values(specification.paths).flatMap((path) => Object.values(path)))
    operation.parameters = operation.parameters.filter(({ name }) => name !== 'version');
  const corrected = join(folder, 'DeliveryIntercept.json');
  await writeFile(corrected, JSON.stringify(specification));
  return corrected;
}
