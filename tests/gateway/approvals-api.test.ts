import assert from 'node:assert/strict';
import type { Action, ActionState } from '../../domain/action.ts';
import type { Decision } from '../../domain/approval.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type Wire, openSession, startWire } from './wire.ts';

const REORDER = { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' };

describe('the decision routes', () => {
  let wire: Wire;
  let id = '';
  let voting: () => Promise<never> | undefined;
  const votes: unknown[] = [];
  before(async () => {
    wire = await startWire({
      runs: {
        vote: async (_id, ballot) => {
          votes.push(ballot);
          await voting();
          return { ballotNo: 1, admitted: true, decision: 'approve', standing: 'approved' };
        },
      },
    });
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    await session.ask('tools/call', { name: 'create_reorder', arguments: REORDER });
    id = [...wire.actions.keys()][0] ?? '';
  });
  beforeEach(() => {
    votes.length = 0;
    voting = () => undefined;
  });
  after(() => wire.stop());

  const post = async (path: string, body: unknown, as = 'warehouse_lead') =>
    fetch(`${wire.url}/v1/approvals/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await wire.mint(as)}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  for (const [what, body] of [
    ['nothing', {}],
    ['another word', { decision: 'maybe' }],
    ['a decision twice', { decision: ['approve', 'approve'] }],
    ['a name to vote for', { decision: 'approve', approver: 'somebody_else' }],
    ['roles', { decision: 'approve', roles: ['warehouse_lead'] }],
    ['a code', { decision: 'approve', code: 'x' }],
    ['an endless comment', { decision: 'approve', comment: 'x'.repeat(1001) }],
    ['a forged digest', { decision: 'approve', seen: 'not-hex' }],
    ['no JSON', '{"decision":'],
    ['a list', []],
  ] as const) {
    it(`refuse a body with ${what}, and no vote is cast`, async () => {
      const response = await post(`${id}/decision`, body);
      assert.deepEqual([response.status, votes.length], [400, 0], await response.text());
    });
  }

  it('cast the vote of the token, with a proof and nobody else’s name', async () => {
    const response = await post(`${id}/decision`, { decision: 'approve', comment: 'fine' });
    assert.equal(response.status, 200);
    const [vote] = votes;
    assert.deepEqual(
      [
        Reflect.get(Object(vote), 'approver'),
        Reflect.get(Object(vote), 'comment'),
        typeof Reflect.get(Object(vote), 'proof'),
      ],
      ['warehouse_lead', 'fine', 'string'],
    );
  });

  it('answer an unknown action, a foreign one and nonsense alike', async () => {
    const bodies = new Set<string>();
    for (const path of ['no_such_action', 'x'.repeat(300), '..%2F..%2Fetc', "'%20or%201=1"]) {
      const response = await post(`${path}/decision`, { decision: 'approve' });
      bodies.add(`${response.status} ${(await response.text()).replace(/"request_id":"[^"]+"/, '')}`);
    }
    assert.equal(bodies.size, 1);
    assert.match([...bodies][0] ?? '', /^404/);
  });

  it('start a workflow that was lost between claim and start, and cast the vote then', async () => {
    let times = 0;
    voting = () => {
      times += 1;
      return times === 1 ? Promise.reject(new Refusal('action_closed', 'ended')) : undefined;
    };
    const before = wire.started.length;
    assert.equal((await post(`${id}/decision`, { decision: 'approve' })).status, 200);
    assert.equal(wire.started.length, before + 1);
  });

  describe('when the same vote comes again', () => {
    const ballot = {
      ballotNo: 1,
      approver: 'warehouse_lead',
      decision: 'approve',
      admitted: true,
      problem: null,
      comment: null,
      at: '2026-11-21T09:00:00.000Z',
    };
    let open: Action;
    before(() => {
      const action = wire.actions.get(id);
      assert.ok(action);
      open = action;
    });
    afterEach(() => {
      wire.actions.set(id, open);
      wire.votes.clear();
    });

    const counted = (state: ActionState, decision: Decision = 'approve') => {
      wire.actions.set(id, { ...open, state, ballots: [{ ...ballot, decision }] });
      wire.votes.set(id, decision);
    };

    for (const [state, standing] of [
      ['pending_approval', 'open'],
      ['approved', 'approved'],
      ['executed', 'closed'],
    ] as const) {
      it(`say that it was counted, and cast none, while the action is ${state}`, async () => {
        counted(state);
        const response = await post(`${id}/decision`, { decision: 'approve', seen: open.digest });
        assert.deepEqual(
          [response.status, await response.json(), votes.length],
          [200, { action_id: id, decision: 'approve', admitted: true, standing, repeated: true }, 0],
        );
      });
    }

    it('say so too when the first was judged after the look at it', async () => {
      voting = () => {
        counted('executed');
        return Promise.reject(new Refusal('action_closed', 'ended'));
      };
      const response = await post(`${id}/decision`, { decision: 'approve' });
      assert.deepEqual(
        [response.status, Reflect.get(Object(await response.json()), 'repeated')],
        [200, true],
      );
    });

    for (const [what, body, decision] of [
      ['the other decision', { decision: 'reject' }, 'approve'],
      ['what was never shown', { decision: 'approve', seen: '0'.repeat(64) }, 'approve'],
      ['what another said', { decision: 'approve' }, undefined],
    ] as const) {
      it(`refuse ${what}, when the action has ended`, async () => {
        counted('executed');
        if (decision === undefined) wire.votes.clear();
        const response = await post(`${id}/decision`, body);
        assert.deepEqual([response.status, wire.rows.at(-1)?.reason], [409, 'action_closed']);
      });
    }
  });

  it('say what to do when Temporal is away', async () => {
    voting = () => Promise.reject(new Refusal('unavailable', 'Try again in a minute.'));
    const response = await post(`${id}/decision`, { decision: 'approve' });
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '5']);
  });

  it('are closed to a role that may not decide, and that is on record', async () => {
    const response = await post(`${id}/decision`, { decision: 'approve' }, 'analyst');
    assert.equal(response.status, 403);
    assert.equal(wire.rows.at(-1)?.reason, 'insufficient_scope');
  });

  it('never exist as tools: no listed tool decides anything', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const { result } = await session.ask('tools/list', {});
    assert.doesNotMatch(JSON.stringify(result), /"name":"[^"]*(approve|reject|decide)/);
  });
});
