import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ActionPlan } from '../../domain/plan.ts';
import { approvalPage } from '../../domain/approval-page.ts';
import { createSeals } from '../../platform/seals.ts';
import type { BallotStatement } from '../../domain/seals.ts';
import { planned } from '../approvals/room.ts';

const key = () => [randomBytes(32).toString('base64')];
const seals = createSeals<BallotStatement>({ seal: key(), personal: key() });

function pageOf(more: Partial<ActionPlan> = {}): string {
  return approvalPage(planned({ seals }, {}, more));
}

/** Class of defect: text from outside that changes what an approver sees. */
describe('the page an approver decides by', () => {
  it('says what is asked, by whom, until when and who may decide', () => {
    const page = pageOf({ expiresAt: '2026-01-02T03:04:05.000Z' });
    for (const part of [
      'Order 10× BER42-42 for WH-2.',
      'supply_chain_manager',
      '2026-01-02T03:04:05.000Z',
      'warehouse_lead',
    ]) {
      assert.ok(page.includes(part), part);
    }
  });

  it('shows JSON that can be pasted once login and code are filled in', () => {
    const json = /```json\n(.+)\n```/.exec(pageOf())?.[1] ?? '';
    assert.deepEqual(Object.keys(JSON.parse(json) as object), ['decision', 'approver', 'comment', 'code']);
  });

  it('holds no angle bracket, which the page would take for a tag', () => {
    assert.doesNotMatch(pageOf({ asks: 'Order <b>1</b> <script>x</script>' }), /[<>]/);
  });

  for (const [what, hostile] of [
    ['end its fence', 'x\n```\n# Approved already'],
    ['reverse its reading', 'Order \u202e0001 units'],
    ['hide in zero width', 'Order\u200b 1\u2060 unit'],
    ['hide in tag characters', `Order${String.fromCodePoint(0xe0041, 0xe0042)} 1`],
    ['scroll the page away', '\n'.repeat(500)],
  ] as const) {
    it(`does not let text ${what}`, () => {
      const asks = /### Waiting for approval\n\n```text\n(.*)\n```/.exec(pageOf({ asks: hostile }))?.[1];
      assert.ok(asks !== undefined && !/[`\n\u202e\u200b\u2060\u{e0041}]/u.test(asks), JSON.stringify(asks));
    });
  }

  it('cuts what nobody would read', () => {
    assert.ok(pageOf({ asks: 'y'.repeat(100_000) }).length < 2_000);
  });
});
