import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { z } from 'zod';
import { carrierNamed } from '../../../adapters/carriers/numbers/carrier-names.ts';
import { isMisread, recogniseNumber } from '../../../adapters/carriers/numbers/recognise.ts';
import { carrierData, readJson } from './support.ts';

const LIST = z.array(
  z.object({ courier: z.string(), format: z.string(), number: z.string(), valid: z.boolean() }),
);

const isOf = ({ courier, format, number }: { courier: string; format: string; number: string }) =>
  recogniseNumber(number).some((one) => one.courier === courier && one.format === format);

describe('Tracking numbers', () => {
  let list: z.output<typeof LIST>;
  before(function () {
    list = LIST.parse(readJson(carrierData(this), 'tracking_numbers.json'));
  });

  it('are recognised as what they are, all 195 valid ones', () => {
    const valid = list.filter((one) => one.valid);
    assert.deepEqual([valid.length, valid.filter((one) => !isOf(one))], [195, []]);
  });

  it('are refused where the format or the check digit is wrong, all 88', () => {
    const invalid = list.filter((one) => !one.valid);
    assert.deepEqual([invalid.length, invalid.filter(isOf)], [88, []]);
  });

  it('are refused with any other check digit', () => {
    for (const digit of '0123456789') {
      const number = `1Z5R8939035756712${digit}`;
      assert.equal(recogniseNumber(number).length > 0, digit === '7', number);
    }
  });

  it('are the number of each of the three Japanese couriers: twelve digits do not tell which', () => {
    const couriers = recogniseNumber('4055-4842-4886').map(({ courier }) => courier);
    assert.deepEqual(
      ['yamato', 'sagawa', 'japanpost'].map((one) => couriers.some((courier) => courier === one)),
      [true, true, true],
    );
  });

  it('are nobody’s when the country of an S10 number is none', () => {
    assert.deepEqual(recogniseNumber('RB123456785XX'), []);
  });

  it('are called misread only where the form is one courier’s alone', () => {
    assert.deepEqual(
      [
        isMisread('ups', '1Z5R89390357567128'),
        isMisread('ups', '123456789013'),
        isMisread('fedex', '123456789013'),
      ],
      [true, false, false],
    );
  });

  it('never end in a crash, whatever is given for one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (number) => {
        assert.ok(Array.isArray(recogniseNumber(number)));
        assert.equal(typeof isMisread('ups', number), 'boolean');
      }),
      { numRuns: 2_000 },
    );
  });

  it('are looked at in no time, however long they are', () => {
    assert.deepEqual(recogniseNumber('9'.repeat(1_000_000)), []);
  });
});

describe('A carrier’s name', () => {
  for (const [name, courier] of [
    ['UPS', 'ups'],
    ['United Parcel Service', 'ups'],
    ['Fed Ex', 'fedex'],
    ['FEDEX', 'fedex'],
    ['Yamato Transport', 'yamato'],
    ['ヤマト運輸', 'yamato'],
    ['佐川急便', 'sagawa'],
    ['Japan Post', 'japanpost'],
    ['Canada Post', 'canada_post'],
  ] as const)
    it(`is understood: ${name}`, () => assert.equal(carrierNamed(name), courier));

  it('is nobody’s when nobody has it', () => assert.equal(carrierNamed('Pigeon Post'), undefined));
});
