import { fenced } from './approval-page.ts';
import { wordsFor } from './order-messages.ts';
import type { LifeView } from './order-life.ts';

/** What the workflow's page in the Temporal UI shows of an order. Numbers of imported orders are foreign text. */
export function orderPage({ orderId, state, history, payment }: LifeView): string {
  const { message, nextStep } = wordsFor(state, null);
  const steps = history.map(({ at, to, cause, inferred }) => `- \`${at}\` ${to}${causeOf(cause, inferred)}`);
  return [
    `### ${state}`,
    '',
    fenced(orderId),
    '',
    `${message} ${nextStep}`,
    ...(payment === null ? [] : ['', `Given up unpaid in ${Math.ceil(payment.dueInMs / 1000)} s.`]),
    ...(steps.length === 0 ? [] : ['', ...steps]),
  ].join('\n');
}

/** One line, for lists of workflows. */
export function orderSummary(orderId: string): string {
  return `Order ${orderId.replaceAll(/[^\w#./-]/g, '_').slice(0, 80)}`;
}

function causeOf(cause: string, inferred: boolean): string {
  const plain = cause.replaceAll(/[^a-z0-9_:.-]/gi, '_').slice(0, 80);
  return inferred ? ` (inferred from ${plain})` : ` (${plain})`;
}
