import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import { createEventKeeping } from '../../adapters/postgres/event-upkeep.ts';
import type { AuditEntry } from '../../domain/audit.ts';
import type { ConsumerStanding, EventLog, PublishedEvent } from '../../domain/events.ts';
import { operator } from '../operator.ts';
import { printable } from '../printable.ts';
import { whole, withLog } from './event-log.ts';

export function registerConsumers(events: Command): void {
  events
    .command('consumers')
    .description('Who reads the log: how far each has come, and what it could not deal with.')
    .option('--json', 'one JSON object per line')
    .action(consumers);
  events
    .command('skip <consumer>')
    .description(
      'Have a consumer leave out the one event that it stands still at. It is on record, and final.',
    )
    .requiredOption('--position <n>', 'of that event, as `events consumers` shows it', whole)
    .action(skip);
}

async function consumers({ json }: { readonly json?: true }): Promise<void> {
  const all = await withLog((_, pools) => createEventKeeping(pools).consumers());
  for (const one of all)
    process.stdout.write(json === true ? `${JSON.stringify(toWire(one))}\n` : lines(one));
}

function toWire({ consumer, position, lag, movedAt, failures }: ConsumerStanding) {
  return {
    consumer,
    position,
    lag,
    moved_at: movedAt,
    failures: failures.map(({ failedAt, ...failure }) => ({ ...failure, failed_at: failedAt })),
  };
}

function lines({ consumer, position, lag, movedAt, failures }: ConsumerStanding): string {
  const stands = `${consumer}  at ${position}  ${lag} behind  moved ${movedAt}\n`;
  const fails = failures.map(
    (one) =>
      `  ${one.skipped ? 'leaves out' : 'fails at'} ${one.position}  ${one.attempts} times  last ${one.failedAt}  ` +
      `${printable(one.failure)}\n`,
  );
  return [stands, ...fails].join('');
}

async function skip(consumer: string, { position }: { readonly position: number }): Promise<void> {
  await withLog(async (log, pools) => {
    const keeping = createEventKeeping(pools);
    const standing = (await keeping.consumers()).find((one) => one.consumer === consumer);
    const failure = standing?.failures.find((one) => one.position === position && !one.skipped);
    const event = await eventAt(log, position);
    if (failure === undefined || event === undefined) throw new Error(whyNot(consumer, standing));
    const audit = createAuditLog(pools);
    const proposed = skipping(event, consumer);
    // The intention first: nothing is left out of which there is no record.
    await audit.append([proposed]);
    const isSkipped = await keeping.skip(consumer, position);
    await audit.append([endOf(proposed, isSkipped)]);
    if (!isSkipped) throw new Error(`${consumer} has dealt with ${position} meanwhile. Nothing is left out.`);
    process.stdout.write(
      `${consumer} leaves out ${position} (${event.topic} ${printable(event.eventId)}).\n`,
    );
  });
}

async function eventAt(log: EventLog, position: number): Promise<PublishedEvent | undefined> {
  const [event] = await log.read(position - 1, 1);
  return event?.position === position ? event : undefined;
}

function whyNot(consumer: string, standing: ConsumerStanding | undefined): string {
  if (standing === undefined) return `There is no consumer ${consumer}: see countersign events consumers.`;
  const failing = standing.failures.filter(({ skipped }) => !skipped).map((one) => one.position);
  const where = failing.length === 0 ? 'nowhere' : `at ${failing.join(', ')}`;
  return `${consumer} fails ${where}: only an event that it fails at can be left out. Nothing was done.`;
}

function skipping(event: PublishedEvent, consumer: string): AuditEntry {
  const callId = `events_skip-${randomUUID()}`;
  return {
    key: `${callId}:1`,
    tenant: event.tenant,
    callId,
    event: 'proposed',
    final: false,
    outcome: 'pending',
    tool: 'events_skip',
    subject: operator(),
    transport: 'cli',
    details: { consumer, position: event.position, topic: event.topic, event_id: event.eventId },
    at: new Date().toISOString(),
  };
}

function endOf(proposed: AuditEntry, isSkipped: boolean): AuditEntry {
  return {
    ...proposed,
    key: `${proposed.callId}:2`,
    event: 'outcome',
    final: true,
    outcome: isSkipped ? 'executed' : 'refused',
    at: new Date().toISOString(),
  };
}
