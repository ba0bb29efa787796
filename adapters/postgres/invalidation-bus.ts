import { Client } from 'pg';
import type { InvalidationBus } from '../../domain/invalidation-bus.ts';
import { type Line, lineBus } from '../cache/invalidation-bus.ts';

const CHANNEL = 'countersign_cache';
const ANSWER_MS = 2_500;

export type PostgresBusOptions = {
  /** A server that passes notifications on: the primary itself, and no pooler before it. */
  readonly url: string;
  readonly onError?: (error: unknown) => void;
};

/** Invalidations over LISTEN and NOTIFY, on one connection of its own. */
export function postgresInvalidationBus({ url, onError }: PostgresBusOptions): InvalidationBus {
  const told = onError ?? (() => undefined);
  return lineBus({ open: (heard) => openLine(url, heard, told), onError: told });
}

async function openLine(
  url: string,
  heard: (message: string) => void,
  onError: (error: unknown) => void,
): Promise<Line> {
  const client = new Client({
    connectionString: url,
    application_name: 'countersign cache',
    keepAlive: true,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  client.on('notification', ({ payload = '' }) => heard(payload));
  client.on('error', onError);
  const ended = new Promise<void>((resolve) => void client.once('end', resolve));
  await client.connect();
  const ask = oneByOne(client);
  try {
    await ask(`listen ${CHANNEL}`);
  } catch (error) {
    void client.end().catch(onError);
    throw error;
  }
  return {
    send: (message) => ask('select pg_notify($1, $2)', [CHANNEL, message]),
    probe: () => ask('select'),
    ended,
    close: () => client.end(),
  };
}

/** The connection has no queue that is meant to be used. */
function oneByOne(client: Client) {
  let asked: Promise<unknown> = Promise.resolve();
  return (text: string, values: readonly unknown[] = []): Promise<void> => {
    const answer = asked.then(async () => void (await client.query(text, [...values])));
    asked = answer.catch(() => undefined);
    return answer;
  };
}
