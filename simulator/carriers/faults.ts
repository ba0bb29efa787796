import type { Response } from 'express';
import { refuse } from './ups/answers.ts';
import type { Distortion } from './ups/tracking.ts';

/** What can be wrong with every answer. */
export const FAULTS = [
  'none',
  'hang', // never answers
  'rate_limited', // 429, with Retry-After when `retry_after_s` is set
  'down', // 503, with Retry-After when `retry_after_s` is set
  'reset', // breaks the connection before it does anything
  'lost', // does what it is asked, and breaks the connection instead of saying so
  'garbage', // JSON that ends in the middle
  'html', // a proxy's page, with status 200
  'slow_body', // the right answer, a byte at a time
  'contradictory', // scans whose type and code contradict each other
  'duplicates', // every scan twice
  'out_of_order', // scans in no order
] as const;
export type Fault = (typeof FAULTS)[number];

export const OPERATIONS = ['token', 'track', 'rate', 'ship', 'intercept'] as const;
export type Operation = (typeof OPERATIONS)[number];

export type FaultState = {
  readonly fault: Fault;
  /** How many more requests it is for; null: until it is switched off. */
  readonly times: number | null;
  /** What it is for. The token is spared unless it is named. */
  readonly only: readonly Operation[];
  readonly retryAfterSeconds: number | null;
  readonly latencyMs: number;
  /** Part of the requests that are answered with 500. */
  readonly errorRate: number;
};

export const NO_FAULT: FaultState = {
  fault: 'none',
  times: null,
  only: ['track', 'rate', 'ship', 'intercept'],
  retryAfterSeconds: null,
  latencyMs: 0,
  errorRate: 0,
};

export function distortionIn(fault: Fault): Distortion | undefined {
  return fault === 'contradictory' || fault === 'duplicates' || fault === 'out_of_order' ? fault : undefined;
}

const DRIP_MS = 100;

/** Whether the fault has taken the request: nobody else is to answer it. */
export function isTaken(fault: Fault, { retryAfterSeconds }: FaultState, response: Response): boolean {
  const taken = Object.hasOwn(TAKING, fault) ? TAKING[fault] : undefined;
  if (taken) taken(response, retryAfterSeconds);
  else if (fault === 'garbage' || fault === 'slow_body' || fault === 'lost') spoil(fault, response);
  return taken !== undefined;
}

type Take = (response: Response, retryAfterSeconds: number | null) => void;

const TAKING: Partial<Readonly<Record<Fault, Take>>> = {
  // Held open until the caller hangs up.
  hang: () => undefined,
  rate_limited: (response, after) => later(response, 429, after),
  down: (response, after) => later(response, 503, after),
  reset: (response) => void response.destroy(),
  html: (response) => void response.type('html').send('<html><body>504 Gateway Time-out</body></html>'),
};

function later(response: Response, status: 429 | 503, after: number | null): void {
  if (after !== null) response.set('Retry-After', String(after));
  refuse(response, status, `10${status}`, 'Try again later.');
}

/** The request is dealt with as ever; what is sent of the answer is not. */
function spoil(fault: 'garbage' | 'slow_body' | 'lost', response: Response): void {
  response.json = (body: unknown) => {
    const text = JSON.stringify(body);
    if (fault === 'lost') return response.destroy();
    if (fault === 'garbage') return response.type('json').send(text.slice(0, text.length / 2));
    response.type('json').flushHeaders();
    drip(text, response);
    return response;
  };
}

function drip(text: string, response: Response): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent >= text.length) response.end();
    else response.write(text.slice(sent, (sent += 1)));
  }, DRIP_MS);
  response.once('close', () => clearInterval(timer));
}
