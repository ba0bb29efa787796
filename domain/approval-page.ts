import type { ActionPlan } from './plan.ts';

const MOST = 400;

/** Control characters, and those that reorder or hide text (bidi, zero width, tags). */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** Text from outside, for a page that people decide by: cut, on one line, and unable to leave its fence. */
export function fenced(text: string): string {
  // The page's renderer drops what looks like a tag, and with it the block around it.
  const inert = text.replaceAll('`', "'").replaceAll('<', '‹').replaceAll('>', '›');
  const plain = inert.replace(HIDDEN, ' ').replace(/\s+/g, ' ').trim();
  const cut = plain.length > MOST ? `${plain.slice(0, MOST)} …` : plain;
  return ['```text', cut === '' ? '(empty)' : cut, '```'].join('\n');
}

/** What the workflow's page in the Temporal UI shows while it waits: what is asked, by whom, until when, and what to paste. */
export function approvalPage(plan: ActionPlan): string {
  const { caller, approval } = plan;
  const people = approval.approvers === 1 ? 'One person' : `${approval.approvers} persons`;
  const ballot = { decision: 'approve', approver: 'YOUR-LOGIN', comment: '', code: 'ONE-TIME-CODE' };
  return [
    '### Waiting for approval',
    '',
    fenced(plan.asks),
    '',
    ...clausePage(plan),
    'Asked by',
    '',
    fenced(caller.actor === undefined ? caller.subject : `${caller.subject}, through ${caller.actor}`),
    '',
    `${people} with the role \`${approval.role}\`, not the requester, until \`${plan.expiresAt}\`.`,
    '',
    `Digest \`${plan.digest}\``,
    '',
    'Send the signal `approval` with this JSON. `countersign code ' +
      plan.callId +
      '` prints it whole, with your one-time code (`--reject` for a no).',
    '',
    '```json',
    JSON.stringify(ballot),
    '```',
  ].join('\n');
}

/** The clause as a block of its own, after what is asked: the words are the policy's, not the request's. */
function clausePage({ clause }: ActionPlan): readonly string[] {
  if (clause === undefined) return ['No clause of the policies was found for this.', ''];
  const where = clause.headingPath.length === 0 ? clause.title : clause.headingPath.join(' / ');
  return [
    'The policy says',
    '',
    fenced(clause.text),
    '',
    fenced(`${where}, version ${clause.docVersion}, ${clause.sourceUrl}`),
    '',
    `Clause digest \`${clause.digest}\`. If the clause changes, this approval is void.`,
    '',
  ];
}

/** The same page once it is over. */
export function closedPage(plan: ActionPlan, state: string): string {
  return ['### ' + state.replaceAll('_', ' '), '', fenced(plan.asks)].join('\n');
}
