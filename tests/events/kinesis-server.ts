import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const PUT = z.object({
  StreamName: z.string(),
  Records: z
    .array(z.object({ Data: z.base64(), PartitionKey: z.string().min(1).max(256) }))
    .min(1)
    .max(500),
});

type Kept = { readonly partitionKey: string; readonly event: unknown; readonly sequence: string };

/** What befalls the next calls: the whole call fails, or single records of it, by their place. */
export type Trouble =
  | { readonly status: number; readonly type: string }
  | {
      readonly refused: (
        index: number,
      ) => 'ProvisionedThroughputExceededException' | 'InternalFailure' | undefined;
    }
  | 'hang up'
  /** The records are kept and the answer is lost. */
  | 'lose the answer';

/**
 * A stream of Kinesis Data Streams, as its API reference has it: PutRecords over JSON 1.1, signed requests only,
 * records by hash of their partition key on shards, a sequence number per record that grows within its shard, limits
 * on records, bytes and keys, and errors for a whole call or for single records. Records that a call has refused in
 * part do not stop those after them.
 */
export async function startKinesis(stream: string, shards = 4) {
  const kept: Kept[][] = Array.from({ length: shards }, () => []);
  const troubles: Trouble[] = [];
  const calls: number[] = [];
  let sequence = 49_590_338_271_490_256_608_559_692_538n;

  function put(text: string): { readonly status: number; readonly body: object } {
    const parsed = PUT.safeParse(JSON.parse(text));
    if (!parsed.success) return failure(400, 'ValidationException');
    const { StreamName, Records } = parsed.data;
    if (StreamName !== stream) return failure(400, 'ResourceNotFoundException');
    const bytes = Records.map(
      ({ Data, PartitionKey }) => Buffer.from(Data, 'base64').length + PartitionKey.length,
    );
    if (bytes.some((size) => size > 1_048_576) || bytes.reduce((a, b) => a + b, 0) > 5 * 1_048_576)
      return failure(400, 'InvalidArgumentException');
    calls.push(Records.length);
    const trouble = troubles.shift();
    if (typeof trouble === 'object' && 'status' in trouble) return failure(trouble.status, trouble.type);
    const refused = typeof trouble === 'object' ? trouble.refused : () => undefined;
    const results = Records.map(({ Data, PartitionKey }, index) => {
      const code = refused(index);
      if (code !== undefined) return { ErrorCode: code, ErrorMessage: `Slow down. ${stream}` };
      const shard = shardOf(PartitionKey);
      sequence += 1n;
      const event: unknown = JSON.parse(Buffer.from(Data, 'base64').toString());
      kept[shard]?.push({ partitionKey: PartitionKey, event, sequence: String(sequence) });
      return { SequenceNumber: String(sequence), ShardId: `shardId-${String(shard).padStart(12, '0')}` };
    });
    if (trouble === 'lose the answer') return { status: 0, body: {} };
    const failed = results.filter((one) => 'ErrorCode' in one).length;
    return { status: 200, body: { EncryptionType: 'NONE', FailedRecordCount: failed, Records: results } };
  }

  function shardOf(partitionKey: string): number {
    return createHash('md5').update(partitionKey).digest().readUInt32BE(0) % shards;
  }

  const server = createServer((request, response) => {
    void serve(request, response);
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (troubles[0] === 'hang up') {
      troubles.shift();
      request.socket.destroy();
      return;
    }
    const text = await bodyOf(request);
    const { status, body } = isPut(request) ? put(text) : failure(400, 'MissingAuthenticationTokenException');
    if (status === 0) {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
    });
    response.end(JSON.stringify(body));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has a port.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    /** What the next calls meet, one each. */
    next: (...more: readonly Trouble[]) => troubles.push(...more),
    /** How many records each call carried that was let in. */
    calls,
    shards: () => kept.map((records) => [...records]),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isPut({ headers }: IncomingMessage): boolean {
  return (
    headers['x-amz-target'] === 'Kinesis_20131202.PutRecords' &&
    headers['content-type'] === 'application/x-amz-json-1.1' &&
    /^AWS4-HMAC-SHA256 Credential=\S+\/kinesis\/aws4_request/.test(headers.authorization ?? '')
  );
}

function failure(status: number, type: string) {
  return { status, body: { __type: type, message: type } };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
