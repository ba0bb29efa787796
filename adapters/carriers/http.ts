import { CarrierFault } from './faults.ts';
import { retryAfterMs } from './retry-after.ts';

export type CarrierRequest = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** What the carrier said, below 500 and not 429. `json` is undefined when there was none. */
export type CarrierAnswer = { readonly status: number; readonly json: unknown };

/** More than any tracking answer with signature images, and little enough to hold a hundred of. */
export const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/**
 * One request, once. It is over when `signal` says so, wherever the carrier hangs.
 *
 * @throws {CarrierFault} timeout, rate_limited, down, garbled
 */
export async function exchange(
  { method, url, headers, body }: CarrierRequest,
  signal: AbortSignal,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<CarrierAnswer> {
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
      // Following would carry the token to wherever the answer points.
      redirect: 'manual',
      signal,
    });
    return await read(response, maxBytes);
  } catch (error) {
    if (error instanceof CarrierFault) throw error;
    throw signal.aborted
      ? new CarrierFault('timeout', 'The carrier did not answer in time.')
      : brokenConnection(error);
  }
}

async function read(response: Response, maxBytes: number): Promise<CarrierAnswer> {
  const { status } = response;
  const problem = problemOf(response);
  if (problem !== undefined) {
    await discard(response);
    throw problem;
  }
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '');
  if (!isJson && response.ok) {
    await discard(response);
    throw new CarrierFault('garbled', 'The carrier answered with something other than JSON.');
  }
  const text = await textOf(response, maxBytes);
  return { status, json: isJson ? parsed(text, response.ok) : undefined };
}

function problemOf({ status, headers }: Response): CarrierFault | undefined {
  const after = retryAfterMs(headers.get('retry-after'), Date.now());
  if (status === 429)
    return new CarrierFault('rate_limited', 'The carrier asks for fewer requests.', {
      retryAfterMs: after,
      untouched: true,
    });
  if (status >= 500)
    return new CarrierFault('down', `The carrier answered ${status}.`, { retryAfterMs: after });
  // With `redirect: 'manual'` a redirect keeps its status.
  if (status >= 300 && status < 400)
    return new CarrierFault('garbled', 'The carrier answered with a redirect.');
  return undefined;
}

/** Gives the connection back, or ends it. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

async function textOf(response: Response, maxBytes: number): Promise<string> {
  const tooLong = () => new CarrierFault('garbled', 'The carrier’s answer is too long.');
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await discard(response);
    throw tooLong();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string, isOk: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!isOk) return undefined;
    throw new CarrierFault('garbled', 'The carrier’s JSON is broken.');
  }
}

/** Failures before a byte left: the carrier cannot have acted. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function brokenConnection(error: unknown): CarrierFault {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new CarrierFault('down', 'The connection to the carrier broke.', {
    cause: error,
    untouched: NEVER_SENT.has(code),
  });
}
