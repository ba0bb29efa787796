import assert from 'node:assert/strict';
import { ConfigError, loadSettings } from '../../platform/config.ts';

const GOOD = 'a secret of sixteen';
const read = (value: unknown) =>
  loadSettings({ CARRIER_WEBHOOK_SECRETS: typeof value === 'string' ? value : JSON.stringify(value) })
    .carrierWebhookSecrets;

describe('the secrets of carriers', () => {
  it('are none when nothing is said', () => assert.deepEqual(loadSettings({}).carrierWebhookSecrets, {}));

  it('are kept by carrier and shop, several of a shop, one shop’s with two carriers', () => {
    const given = { ups: { manga: [GOOD, `${GOOD} 2`] }, fedex: { manga: [GOOD], other: [`${GOOD} 3`] } };
    assert.deepEqual(read(given), given);
  });

  for (const [what, value] of [
    ['no JSON', 'ups=secret'],
    ['a list', '[]'],
    ['a secret that is short', { ups: { manga: ['short'] } }],
    ['a shop without a secret', { ups: { manga: [] } }],
    ['a secret that is no list', { ups: { manga: GOOD } }],
    ['a carrier that no address can name', { 'U P S': { manga: [GOOD] } }],
    ['a shop that cannot be', { ups: { 'man:ga': [GOOD] } }],
    ['one secret of two shops', { ups: { manga: [GOOD], other: [`${GOOD} 2`, GOOD] } }],
    [
      'one secret of two shops, with another accent',
      { ups: { manga: ['un s\u00e9cret assez long'], other: ['un se\u0301cret assez long'] } },
    ],
  ] as const) {
    it(`are refused with ${what}, which is not repeated`, () => {
      assert.throws(
        () => read(value),
        (error: unknown) =>
          error instanceof ConfigError &&
          /CARRIER_WEBHOOK_SECRETS: allowed/.test(error.message) &&
          !error.message.includes(GOOD),
      );
    });
  }
});
