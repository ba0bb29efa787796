import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  APPROVAL_FOR,
  type Admitted,
  type ApprovalRule,
  ballotProblem,
  RISKS,
  standingOf,
} from '../../domain/approval.ts';

const RULE: ApprovalRule = { role: 'warehouse_lead', approvers: 2, expiresInSeconds: 60 };
const NOBODY: ReadonlySet<string> = new Set();
const lead = (personId: string) => ({ personId, roles: ['warehouse_lead'] as const });
const cast = (personId: string, decision: Admitted['decision'] = 'approve'): Admitted => ({
  personId,
  subject: personId,
  decision,
});

describe('a ballot', () => {
  it('counts from somebody entitled who has not voted and did not ask', () => {
    assert.equal(ballotProblem(RULE, new Set(['asker']), [cast('a')], lead('b')), undefined);
  });

  it('does not count from any of the requester’s persons, whatever their role', () => {
    assert.match(ballotProblem(RULE, new Set(['asker', 'owner']), [], lead('owner')) ?? '', /requester/);
  });

  it('does not count without the role that decides', () => {
    const voter = { personId: 'b', roles: ['finance', 'supply_chain_manager'] as const };
    assert.match(ballotProblem(RULE, NOBODY, [], voter) ?? '', /warehouse_lead/);
    assert.match(ballotProblem(RULE, NOBODY, [], { personId: 'b', roles: [] }) ?? '', /warehouse_lead/);
  });

  it('does not count twice from one person, under whatever login', () => {
    const earlier = { ...cast('b'), subject: 'another-login' };
    assert.match(ballotProblem(RULE, NOBODY, [earlier], lead('b')) ?? '', /once/);
  });
});

describe('the standing of an action', () => {
  it('is open until enough persons have said yes', () => {
    assert.equal(standingOf(RULE, []), 'open');
    assert.equal(standingOf(RULE, [cast('a')]), 'open');
    assert.equal(standingOf(RULE, [cast('a'), cast('b')]), 'approved');
  });

  it('counts persons and not ballots', () => {
    assert.equal(standingOf(RULE, [cast('a'), cast('a'), cast('a')]), 'open');
  });

  it('is denied by one no, whatever was said before or after it', () => {
    const votes = fc.array(fc.tuple(fc.string(), fc.constantFrom('approve' as const, 'reject' as const)), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(votes, (said) => {
        const all = said.map(([person, decision]) => cast(person, decision));
        const isDenied = all.some(({ decision }) => decision === 'reject');
        assert.equal(standingOf(RULE, all) === 'denied', isDenied);
      }),
    );
  });

  it('asks at least one person, at every level of risk', () => {
    for (const risk of RISKS) assert.ok(APPROVAL_FOR[risk].approvers >= 1);
  });
});
