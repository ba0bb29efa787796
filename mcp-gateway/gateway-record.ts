import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditEntry, AuditEvent, AuditLog, Outcome } from '../domain/audit.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/principal.ts';
import type { Runs } from '../domain/runs.ts';
import type { Logger } from '../platform/log.ts';
import { cameBy } from './bypass.ts';

/** Tenant of rows about callers whom no token vouches for. */
const UNVERIFIED = '_unverified';

type Moment = {
  readonly tool: string;
  readonly event: AuditEvent;
  readonly outcome: Outcome;
  readonly final: boolean;
  readonly reason?: string;
  readonly callId?: string;
  readonly principal?: Principal;
  readonly transport: string;
  readonly requestId: string;
  readonly details?: JsonObject;
};

/** The gateway's own part of the record: what it refused before anything started, and what it served without a workflow. */
export type GatewayRecord = {
  /** Durable when it returns; a log line is the last resort when Postgres and Temporal are both away. */
  write(moment: Moment): Promise<void>;
};

type RecordDeps = {
  readonly audit: AuditLog;
  readonly runs: Pick<Runs, 'oweAudit'>;
  readonly log: Logger;
  readonly now?: () => Date;
};

/** How long a refusal waits for its row. */
const PATIENCE_MS = 1_500;
/** Rows per second for callers without a valid token, and how many may come at once. */
const UNVERIFIED_PER_SECOND = 5;
const UNVERIFIED_BURST = 50;

export function gatewayRecord({ audit, runs, log, now = () => new Date() }: RecordDeps): GatewayRecord {
  const allowance = bucket(UNVERIFIED_PER_SECOND, UNVERIFIED_BURST, now);
  let skipped = 0;
  return {
    async write(moment) {
      // A stranger must not be able to fill the disk: past the allowance rows are counted, not written.
      if (moment.principal === undefined && !allowance.take()) {
        skipped += 1;
        return;
      }
      const entry = entryOf(moment, now(), moment.principal === undefined ? skipped : 0);
      if (moment.principal === undefined) skipped = 0;
      try {
        await inTime(audit.append([entry]));
      } catch (error) {
        log.warn(
          { err: error, callId: entry.callId },
          'audit row is owed: the database does not take it now',
        );
        await owe(entry);
      }
    },
  };

  async function owe(entry: AuditEntry): Promise<void> {
    try {
      await runs.oweAudit([entry]);
    } catch (error) {
      log.error({ err: error, entry }, 'audit row is lost: neither Postgres nor Temporal takes it');
    }
  }
}

function entryOf(moment: Moment, at: Date, skipped: number): AuditEntry {
  const { principal, reason, details } = moment;
  const more = { ...details, ...(skipped === 0 ? {} : { skipped_before: skipped }) };
  return {
    key: `gateway:${randomUUID()}`,
    tenant: principal?.tenant ?? UNVERIFIED,
    callId: moment.callId ?? `refused_${randomUUID()}`,
    event: moment.event,
    final: moment.final,
    outcome: moment.outcome,
    ...(reason === undefined ? {} : { reason }),
    tool: moment.tool,
    subject: principal?.subject ?? UNVERIFIED,
    ...(principal?.actor === undefined ? {} : { actor: principal.actor }),
    ...(principal?.customerId === undefined ? {} : { customerId: principal.customerId }),
    ...(principal === undefined ? {} : { assurance: principal.assurance }),
    requestId: moment.requestId,
    transport: principal === undefined ? moment.transport : cameBy(moment.transport, principal),
    ...(Object.keys(more).length === 0 ? {} : { details: more }),
    at: at.toISOString(),
  };
}

/** A caller waits behind the row: past this it is owed. Should it arrive all the same, its key makes the owed one a no-op. */
async function inTime(writing: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = pause(PATIENCE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`The record did not answer within ${PATIENCE_MS} ms.`);
  });
  // Whichever lost the race ends unheard.
  late.catch(() => undefined);
  writing.catch(() => undefined);
  try {
    await Promise.race([writing, late]);
  } finally {
    over.abort();
  }
}

function bucket(perSecond: number, burst: number, now: () => Date) {
  let left = burst;
  let last = now().getTime();
  return {
    take(): boolean {
      const at = now().getTime();
      left = Math.min(burst, left + ((at - last) / 1000) * perSecond);
      last = at;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
