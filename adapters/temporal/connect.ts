import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../../platform/config.ts';

/** Where Temporal is and how it is reached. A part of `Config`. */
export type TemporalAccess = Pick<Config['temporal'], 'address' | 'namespace' | 'tls' | 'apiKey'>;

/** There is no Temporal where it was looked for. The message says what can be done. */
export class TemporalMissing extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TemporalMissing';
  }
}

export type TemporalLink = {
  readonly connection: NativeConnection;
  /** Built on the worker's own connection: eager starts ask for that. */
  readonly client: Client;
};

/**
 * Connects a process that runs workers.
 *
 * @throws {TemporalMissing} when nothing answers there
 */
export async function connectWorker(access: TemporalAccess): Promise<TemporalLink> {
  try {
    const connection = await NativeConnection.connect(wayTo(access));
    return { connection, client: new Client({ connection, namespace: access.namespace }) };
  } catch (error) {
    throw new TemporalMissing(noAnswer(access.address), error);
  }
}

/**
 * Connects a process that only asks. Close `client.connection` when done.
 *
 * @throws {TemporalMissing} when nothing answers there
 */
export async function connectClient(access: TemporalAccess): Promise<Client> {
  const connection = await connectPlainly(access, 10_000);
  return new Client({ connection, namespace: access.namespace });
}

/** @throws {TemporalMissing} */
export async function connectPlainly(
  access: Omit<TemporalAccess, 'namespace'>,
  timeoutMs: number,
): Promise<Connection> {
  try {
    return await Connection.connect({ ...wayTo(access), connectTimeout: timeoutMs });
  } catch (error) {
    throw new TemporalMissing(noAnswer(access.address), error);
  }
}

/** Whether a Temporal frontend answers there within two seconds. */
export async function isTemporal(address: string): Promise<boolean> {
  try {
    const connection = await connectPlainly({ address, tls: undefined, apiKey: undefined }, 2000);
    await connection.close();
    return true;
  } catch (error) {
    if (error instanceof TemporalMissing) return false;
    throw error;
  }
}

function noAnswer(address: string): string {
  return `No Temporal answers at ${address}. Start one there, or set TEMPORAL_ADDRESS (with TEMPORAL_TLS or TEMPORAL_API_KEY where it asks for them).`;
}

function wayTo({ address, tls, apiKey }: Omit<TemporalAccess, 'namespace'>) {
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls: certificates(tls) }),
  };
}

function certificates(tls: NonNullable<TemporalAccess['tls']>) {
  const { serverRootCaPath, clientCertPath, clientKeyPath, serverName } = tls;
  return {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(serverRootCaPath === undefined ? {} : { serverRootCACertificate: readFileSync(serverRootCaPath) }),
    ...(clientCertPath === undefined || clientKeyPath === undefined
      ? {}
      : { clientCertPair: { crt: readFileSync(clientCertPath), key: readFileSync(clientKeyPath) } }),
  };
}
