import { createHash } from 'node:crypto';
import {
  KinesisClient,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
  type PutRecordsResultEntry,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ExponentialBackoff, handleType, retry } from 'cockatiel';
import { eventToWire, partitionOf } from '../../domain/event-wire.ts';
import type { EventSink, PublishedEvent } from '../../domain/events.ts';

export type KinesisStreamOptions = {
  readonly stream: string;
  readonly region: string;
  /** Of something that speaks the protocol; by default that of the region. Credentials come from the SDK's own chain. */
  readonly endpoint?: string;
  /** The first pause after records were turned away; it grows. */
  readonly pauseMs?: number;
};

/** What one call may carry: Kinesis takes 500 records and 5 MiB, keys included. */
const MOST_RECORDS = 500;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_KEY = 256;
const ATTEMPTS = 5;

/** Some records of a call were taken and others were not, for want of throughput or by a fault of theirs. */
class RecordsRefused extends Error {
  constructor(codes: ReadonlySet<string>) {
    super(`Kinesis did not take every record: ${[...codes].join(', ')}.`);
    this.name = 'RecordsRefused';
  }
}

/**
 * Publishes to a Kinesis data stream, partitioned by tenant and key. No call carries two records of one key: of those
 * that one call carries, Kinesis promises no order, and one that is refused must not be overtaken.
 *
 * May put a record twice, after an answer that was lost: consumers dedupe by tenant and event id.
 */
export function createKinesisStream(options: KinesisStreamOptions): EventSink {
  const { stream, region, endpoint, pauseMs = 100 } = options;
  const client = new KinesisClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 10_000 }),
  });
  const again = retry(handleType(RecordsRefused), {
    maxAttempts: ATTEMPTS,
    backoff: new ExponentialBackoff({ initialDelay: pauseMs, maxDelay: 5_000 }),
  });
  return {
    name: 'sink:kinesis',
    publish: async (events) => {
      for (const call of callsOf(events)) {
        let left = call;
        await again.execute(async () => {
          const { Records = [] } = await client.send(
            new PutRecordsCommand({ StreamName: stream, Records: [...left] }),
          );
          const refused = new Set(Records.flatMap(({ ErrorCode }) => ErrorCode ?? []));
          left = left.filter((_, index) => !isTaken(Records[index]));
          if (left.length > 0) throw new RecordsRefused(refused);
        });
      }
    },
    close: async () => client.destroy(),
  };
}

/** An answer that says nothing of a record says nothing good. */
function isTaken(result: PutRecordsResultEntry | undefined): boolean {
  return result !== undefined && result.ErrorCode === undefined && result.SequenceNumber !== undefined;
}

type Call = readonly PutRecordsRequestEntry[];

/** In order; each call within the limits and with one record of a key at most. */
function callsOf(events: readonly PublishedEvent[]): readonly Call[] {
  const rounds: PublishedEvent[][] = [];
  const came = new Map<string, number>();
  for (const event of events) {
    const round = came.get(partitionOf(event)) ?? 0;
    came.set(partitionOf(event), round + 1);
    (rounds[round] ??= []).push(event);
  }
  return rounds.flatMap(within);
}

function within(events: readonly PublishedEvent[]): readonly Call[] {
  const calls: PutRecordsRequestEntry[][] = [];
  let bytes = 0;
  for (const event of events) {
    const record = recordOf(event);
    const size = record.Data.length + MOST_KEY;
    const last = calls.at(-1);
    if (last === undefined || last.length === MOST_RECORDS || bytes + size > MOST_BYTES) {
      calls.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return calls;
}

function recordOf(event: PublishedEvent) {
  const partition = partitionOf(event);
  return {
    // Longer than Kinesis takes: any key will do that is the same for the same.
    PartitionKey:
      partition.length <= MOST_KEY ? partition : createHash('sha256').update(partition).digest('hex'),
    Data: Buffer.from(JSON.stringify(eventToWire(event))),
  };
}
