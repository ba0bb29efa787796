import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type { BallotStatement } from '../../domain/seals.ts';
import { createSeals } from '../../platform/seals.ts';

const key = () => randomBytes(32).toString('base64');
const [now, later] = [1_700_000_000_000, 1_700_000_060_000];

function sealsWith(seal: readonly string[], personal: readonly string[] = [key()], at = now) {
  return createSeals<BallotStatement>({ seal, personal }, () => at);
}

const statement: BallotStatement = {
  tenant: 'manga',
  actionId: 'a',
  digest: 'd',
  decision: 'approve',
  subject: 's',
  issuer: 'i',
  jti: 'j',
  expiresAtUnix: now / 1_000 + 30,
};

/** Class of defect: something believed that this installation did not make. */
describe('seals', () => {
  const first = key();
  const seals = sealsWith([first]);
  const plan = seals.sealPlan<{ seal: string; tool: string; nested: { b: number; a: number } }>({
    tool: 'x',
    nested: { b: 1, a: 2 },
  });

  it('hold for the same content in another order', () => {
    assert.ok(seals.isSealed({ nested: { a: 2, b: 1 }, seal: plan.seal, tool: 'x' }));
  });

  it('break with any change, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, value) => {
        const changed = { ...plan, [name]: value };
        const isSame = JSON.stringify(changed) === JSON.stringify(plan);
        assert.equal(seals.isSealed(changed), isSame);
      }),
    );
  });

  it('are not made by another installation', () => {
    assert.ok(!sealsWith([key()]).isSealed(plan));
  });

  it('of an older key hold while that key is still accepted', () => {
    assert.ok(sealsWith([key(), first]).isSealed(plan));
  });

  for (const [what, hostile] of [
    ['null', null],
    ['text', 'seal'],
    ['a number as seal', { seal: 1 }],
    ['a seal of the wrong length', { ...plan, seal: 'AA' }],
    ['a lone surrogate', { ...plan, tool: '\ud800' }],
    ['no seal', { tool: 'x' }],
  ] as const) {
    it(`answer no to ${what}, and do not throw`, () => assert.ok(!seals.isSealed(hostile)));
  }

  it('of a ballot say what was vouched for', () => {
    assert.deepEqual(seals.checkBallotProof(seals.proveBallot(statement)), statement);
  });

  it('of a ballot end', () => {
    assert.equal(
      sealsWith([first], undefined, later).checkBallotProof(seals.proveBallot(statement)),
      undefined,
    );
  });

  it('of a plan are no proof of a ballot', () => {
    const body = Buffer.from(JSON.stringify(statement)).toString('base64url');
    assert.equal(seals.checkBallotProof(`${body}.${plan.seal}`), undefined);
  });

  for (const proof of ['', '.', 'a.b.c', 'AA.AA', '💥'])
    it(`of a ballot answer no to ${JSON.stringify(proof)}`, () =>
      assert.equal(seals.checkBallotProof(proof), undefined));

  it('open a personal field for its tenant only', () => {
    const sealed = seals.sealPersonal('manga', 'yuki@example.com');
    assert.equal(seals.openPersonal('manga', sealed), 'yuki@example.com');
    assert.throws(() => seals.openPersonal('other', sealed), /not sealed for this tenant/);
  });

  it('hide that two personal fields are the same', () => {
    assert.notEqual(seals.sealPersonal('manga', 'x'), seals.sealPersonal('manga', 'x'));
  });

  it('refuse keys that are none', () => {
    assert.throws(() => sealsWith(['short']), /32 bytes/);
    assert.throws(() => sealsWith([]), /32 bytes/);
  });
});
