import type { Stack } from '../gateway/stack.ts';
import { openSession } from '../gateway/wire.ts';

/** One answer as it came, and as it is compared. */
export type Heard = {
  readonly who: string;
  readonly question: string;
  /** The id that was asked for; an answer may repeat it. */
  readonly asked: string;
  /** Status, headers and body, whole. */
  readonly text: string;
  /** The same without the id, times and what counts requests. */
  readonly plain: string;
};

export type Asker = {
  readonly who: string;
  rpc(method: string, params: unknown, asked: string): Promise<Heard>;
  http(method: string, path: string, body: unknown, asked: string): Promise<Heard>;
};

export type Who = {
  readonly as: string;
  readonly shop: string;
  readonly subject?: string;
};

/** A caller with a session of their own. All that is ever answered to them goes to `hear`. */
export async function asker(stack: Stack, who: Who, hear: (heard: Heard) => void): Promise<Asker> {
  const token = await stack.mint(who.as, who);
  const session = await openSession(stack.url, token);
  const name = `${who.as}@${who.shop}`;
  let id = 0;
  const heard = async (question: string, asked: string, response: Response): Promise<Heard> => {
    const headers = [...response.headers].map(([key, value]) => `${key}: ${value}`);
    const body = await response.text();
    const text = [String(response.status), ...headers, body].join('\n');
    const comparable = headers.filter((line) => !CHANGING.test(line));
    const plain = plainOf([String(response.status), ...comparable, messageIn(body)].join('\n'), asked);
    const one = { who: name, question, asked, text, plain };
    hear(one);
    return one;
  };
  return {
    who: name,
    async rpc(method, params, asked) {
      id += 1;
      const response = await session.post({ jsonrpc: '2.0', id, method, params });
      return heard(`${method} ${JSON.stringify(params)}`, asked, response);
    },
    async http(method, path, body, asked) {
      const response = await fetch(`${stack.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return heard(`${method} ${path}`, asked, response);
    },
  };
}

const CHANGING =
  /^(date|x-request-id|mcp-session-id|content-length|transfer-encoding|connection|keep-alive):/;

/** The JSON of an event stream, or the body as it is. */
function messageIn(body: string): string {
  const events = body.split('\n').filter((line) => line.startsWith('data: {'));
  return events.length === 0 ? body : events.join('\n');
}

/** What is left when the id, times and numbers of requests are taken out. */
function plainOf(text: string, asked: string): string {
  return without(text, asked)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/[a-z_]+-[\w-]{32}/g, '<call>')
    .replaceAll(/"jsonrpc":"2.0","id":\d+|"id":\d+,?/g, '')
    .replaceAll(/\\*"hit\\*":(true|false),\\*"age_s\\*":\d+,\\*"ttl_s\\*":\d+/g, '<age>');
}

/** Every way an id is written in an answer: plain, in a URI, in JSON. */
export function without(text: string, asked: string): string {
  if (asked === '') return text;
  return [encodeURIComponent(asked), asked].reduce((left, form) => left.replaceAll(form, '<id>'), text);
}
