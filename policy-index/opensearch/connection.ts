import { Client, errors } from '@opensearch-project/opensearch';
import { z } from 'zod';
import { PolicyIndexError } from '../../domain/policies.ts';

/** A question is answered, or refused, within five seconds: one try and one more. */
const SEARCH_TIMEOUT_MS = 2_000;
const SEARCH_RETRIES = 1;
/** Building may wait for a merge of segments. */
const BUILD_TIMEOUT_MS = 600_000;

type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Newline-delimited instead of one object. */
  readonly bulk?: readonly object[];
};

/** What OpenSearch refused, in its own word: `index_not_found_exception` and the like. */
export class ServerRefusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string) {
    super(`OpenSearch answered ${status}: ${type}`);
    this.name = 'ServerRefusal';
    this.status = status;
    this.type = type;
  }
}

const REFUSED = z.object({ error: z.object({ type: z.string() }) });

export type Connection = ReturnType<typeof connect>;

export function connect(url: string) {
  const client = new Client({ node: url });

  async function send<T>(schema: z.ZodType<T>, call: Call, patience: object): Promise<T> {
    const { method, path, query, body, bulk } = call;
    try {
      const answer = await client.transport.request(
        {
          method,
          path,
          querystring: { ...query },
          ...(body === undefined ? {} : { body }),
          ...(bulk === undefined ? {} : { bulkBody: [...bulk] }),
        },
        patience,
      );
      return schema.parse(answer.body);
    } catch (error) {
      throw translated(error);
    }
  }

  return {
    /** For questions: bounded by seconds. */
    ask: <T>(schema: z.ZodType<T>, call: Call) =>
      send(schema, call, { requestTimeout: SEARCH_TIMEOUT_MS, maxRetries: SEARCH_RETRIES }),
    /** For building, which may take its time. */
    build: <T>(schema: z.ZodType<T>, call: Call) =>
      send(schema, call, { requestTimeout: BUILD_TIMEOUT_MS, maxRetries: 2 }),
    close: () => client.close(),
  };
}

/** The server's message may quote a document, so only its type and status are passed on. */
function translated(error: unknown): unknown {
  if (error instanceof errors.ResponseError) {
    const refused = REFUSED.safeParse(error.body);
    return refusal(error.statusCode ?? 0, refused.success ? refused.data.error.type : 'unknown', error);
  }
  const isAway =
    error instanceof errors.ConnectionError ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoLivingConnectionsError;
  return isAway ? unreachable(error) : error;
}

/** What a status other than success means, of an answer or of a part of one. */
export function refusal(status: number, type: string, cause?: unknown): Error {
  const isOverloaded = status === 502 || status === 503 || status === 504 || status === 429;
  return isOverloaded ? unreachable(cause) : new ServerRefusal(status, type);
}

function unreachable(cause: unknown): PolicyIndexError {
  return new PolicyIndexError('unreachable', 'The policy index does not answer.', { cause });
}
