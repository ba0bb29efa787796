import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signWebhook, verifyWebhook } from '../../platform/webhook-signature.ts';

const SHARED = process.env['COUNTERSIGN_SHARED'] ?? '../shared';
const EXAMPLE = join(SHARED, 'data/carriers/easypost/webhook-event-body.json');
/** What EasyPost's own clients are tested with: this secret, this example, this value. */
const PUBLISHED = 'hmac-sha256-hex=38f3f53c103713df81616a0a186d77141957323ec21d5fe9363db93840f527db';
const COMPOSED = 's\u00e9cret';
const DECOMPOSED = 'se\u0301cret';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const AT = String(NOW_MS / 1000);
const body = Buffer.from('{"id":"evt_1"}');
const verify = (signature: string | undefined, timestamp?: string, secrets = ['one'], sent = body) =>
  verifyWebhook({ body: sent, signature, timestamp }, secrets, { nowMs: NOW_MS });

describe('the signature of a webhook', () => {
  describe('as EasyPost publishes it', () => {
    before(function () {
      if (existsSync(EXAMPLE)) return;
      console.log('      skipped: no EasyPost example below COUNTERSIGN_SHARED (default ../shared)');
      this.skip();
    });
    const example = () => readFileSync(EXAMPLE);
    const asSent = () => Buffer.from(example().toString('utf8').replace(/\n$/, ''));

    it('has the published value for the published secret and body', () => {
      assert.equal(signWebhook(asSent(), COMPOSED), PUBLISHED);
    });

    it('has another value when the file’s final newline is taken for a part of the body', () => {
      assert.notEqual(signWebhook(example(), COMPOSED), PUBLISHED);
    });
  });

  it('is the same for a secret with a composed and with a combining accent', () => {
    assert.equal(signWebhook(body, COMPOSED), signWebhook(body, DECOMPOSED));
  });

  it('is believed when any of several secrets made it', () => {
    assert.equal(verify(signWebhook(body, 'new'), undefined, ['old', 'new']), 'valid');
  });

  it('is believed in capitals, too', () => {
    const hex = signWebhook(body, 'one').replace('hmac-sha256-hex=', '').toUpperCase();
    assert.equal(verify(`hmac-sha256-hex=${hex}`), 'valid');
  });

  it('is not believed over another body, by another secret, or by none', () => {
    const signature = signWebhook(body, 'one');
    assert.equal(verify(signature, undefined, ['one'], Buffer.from('{"id":"evt_2"}')), 'wrong');
    assert.equal(verify(signature, undefined, ['two']), 'wrong');
    assert.equal(verify(signature, undefined, []), 'wrong');
  });

  for (const [what, header] of [
    ['nothing', undefined],
    ['an empty text', ''],
    ['no digest', 'hmac-sha256-hex='],
    ['zeros', `hmac-sha256-hex=${'0'.repeat(64)}`],
    ['a digest too short', `hmac-sha256-hex=${'a'.repeat(62)}`],
    ['a digest too long', `hmac-sha256-hex=${'a'.repeat(66)}`],
    ['another algorithm', signWebhook(body, 'one').replace('sha256', 'sha1')],
    ['the bare digest', signWebhook(body, 'one').replace('hmac-sha256-hex=', '')],
    ['a digest with something behind it', `${signWebhook(body, 'one')}, x`],
    ['full-width digits', `hmac-sha256-hex=${'\uff10'.repeat(64)}`],
  ] as const) {
    it(`is not believed when the header holds ${what}`, () => assert.equal(verify(header), 'wrong'));
  }

  it('holds the time stamp: neither taken away, nor added, nor changed does it fit', () => {
    const stamped = signWebhook(body, 'one', AT);
    assert.equal(verify(stamped, AT), 'valid');
    assert.equal(verify(stamped), 'wrong');
    assert.equal(verify(stamped, String(Number(AT) + 1)), 'wrong');
    assert.equal(verify(signWebhook(body, 'one'), AT), 'wrong');
  });

  for (const [seconds, verdict] of [
    [-301, 'stale'],
    [-300, 'valid'],
    [300, 'valid'],
    [301, 'stale'],
  ] as const) {
    it(`is ${verdict} ${seconds} s from now`, () => {
      const at = String(Number(AT) + seconds);
      assert.equal(verify(signWebhook(body, 'one', at), at), verdict);
    });
  }

  for (const at of ['', 'yesterday', '-1', '1e9', `${AT}.5`, '9'.repeat(40), 'NaN']) {
    it(`is stale when it was made over the time "${at}"`, () => {
      assert.equal(verify(signWebhook(body, 'one', at), at), 'stale');
    });
  }

  it('does not read a stamped text as a body of its own', () => {
    // Whoever has seen `<time>.<body>` signed must not be able to pass it off as an unstamped body, or the reverse.
    const stamped = signWebhook(body, 'one', AT);
    const whole = Buffer.from(`${AT}.${body.toString()}`);
    assert.equal(verify(stamped, undefined, ['one'], whole), 'valid');
    assert.throws(() => void JSON.parse(whole.toString()), SyntaxError);
  });
});
