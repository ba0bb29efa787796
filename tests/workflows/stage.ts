import { randomUUID } from 'node:crypto';
import { defineSearchAttributeKey, type Payload } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { bodies, type BodyDeps } from '../../activities/index.ts';
import { personalPaths, specs } from '../../catalog/index.ts';
import { hidePersonal } from '../../catalog/personal.ts';
import { hashOf } from '../../catalog/digest.ts';
import type { ActionCourt, Effects } from '../../domain/action.ts';
import type { Ballot, Verdict } from '../../domain/approval.ts';
import type { AuditEntry, AuditLog } from '../../domain/audit.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ActionPlan, ReadPlan } from '../../domain/plan.ts';
import type { Caller } from '../../domain/principal.ts';
import {
  APPROVAL,
  NUDGE,
  QUEUE_KINDS,
  queueName,
  SEARCH_ATTRIBUTES,
  WORKFLOWS,
} from '../../domain/queues.ts';
import { createLog } from '../../platform/log.ts';
import { activitiesOf } from '../../workers/activities.ts';
import { temporalLogger } from '../../workers/runtime.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { type Running, startOn } from '../../workers/worker.ts';
import { manager, openRoom, planned, proofOf, type Room } from '../approvals/room.ts';
import { freshNamespace, type TestTemporal } from '../support/temporal.ts';
import { depsOf } from '../support/world.ts';

export const silent = createLog({ level: 'silent' });

/** Parts of the product that a test puts in place of the real ones. */
export type Parts = {
  readonly effects?: Effects;
  readonly court?: ActionCourt;
  readonly audit?: AuditLog;
  readonly deps?: Partial<BodyDeps>;
  readonly activities?: Readonly<Record<string, (task: never) => Promise<unknown>>>;
};

/** A room with a Temporal namespace of its own, and workers on it. */
export type Stage = {
  readonly room: Room;
  readonly temporal: TestTemporal;
  /** Starts one worker for every queue; stopped with the stage at the latest. */
  work(parts?: Parts): Promise<Running>;
  /** Claims and starts, as the gateway does. */
  ask(ask?: Parameters<typeof planned>[1], key?: string): Promise<ActionPlan>;
  start(plan: ActionPlan): Promise<WorkflowHandle>;
  handle(plan: { readonly callId: string }): WorkflowHandle;
  /** A vote as the gateway sends it: an Update with its proof. */
  decide(plan: ActionPlan, by: Caller, decision?: 'approve' | 'reject'): Promise<Verdict>;
  /** A vote as the Temporal UI sends it. */
  signal(plan: ActionPlan, ballot: unknown): Promise<void>;
  outcome(
    plan: ActionPlan,
  ): Promise<{ readonly status: string; readonly message: string; readonly result?: JsonObject }>;
  read(tool: string, input: JsonObject, more?: Partial<ReadPlan>): Promise<ReadPlan>;
  startRead(plan: unknown, workflowId?: string, queue?: string): Promise<WorkflowHandle>;
  rows(callId?: string): Promise<readonly AuditEntry[]>;
  close(): Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const [room, temporal] = await Promise.all([openRoom(), freshNamespace()]);
  const bundle = await workflowBundle(temporalLogger(silent));
  const running = new Set<Running>();
  const { client } = temporal;

  const stage: Stage = {
    room,
    temporal,
    work: async (parts = {}) => {
      const activities = { ...activitiesFor(room, stage, parts), ...parts.activities };
      const workers = await Promise.all(
        QUEUE_KINDS.map((kind) =>
          startOn(kind, {
            connection: temporal.connection,
            namespace: temporal.namespace,
            queuePrefix: temporal.queuePrefix,
            activities,
            bundle,
            log: silent,
            onDeath: () => undefined,
          }),
        ),
      );
      const all = { stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))) };
      running.add(all);
      return all;
    },
    ask: async (ask, key) => {
      const plan = planned(room, ask);
      const { action } = await room.desk.claim(plan, key);
      await stage.start(action.plan);
      return action.plan;
    },
    start: (plan) =>
      client.workflow.start(WORKFLOWS.action, {
        workflowId: plan.callId,
        taskQueue: queueName(temporal.queuePrefix, 'actions'),
        args: [plan],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: SEARCH_ATTRIBUTES.map((name) => ({
          key: defineSearchAttributeKey(name, 'KEYWORD'),
          value: name === 'ActionState' ? 'pending_approval' : 'x',
        })),
      }),
    handle: ({ callId }) => client.workflow.getHandle(callId),
    decide: (plan, by, decision = 'approve') => {
      const proof = room.seals.proveBallot(proofOf(plan, by, { decision }));
      const ballot: Ballot = { decision, approver: by.subject, proof };
      return stage.handle(plan).executeUpdate<Verdict, [Ballot]>(APPROVAL, { args: [ballot] });
    },
    signal: (plan, ballot) => stage.handle(plan).signal(APPROVAL, ballot),
    outcome: (plan) => stage.handle(plan).result(),
    read: async (tool, input, more = {}) => {
      const spec = specs.get(tool);
      const schema = spec && ('params' in spec ? spec.params : spec.input);
      return room.seals.sealPlan<ReadPlan>({
        version: 1,
        kind: 'read',
        callId: `${tool}-${randomUUID()}`,
        tool,
        server: 'inventory',
        caller: manager,
        input: schema ? hidePersonal(room.seals, manager.tenant, input, personalPaths(schema)) : input,
        inputHash: hashOf(input),
        transport: 'http',
        requestId: randomUUID(),
        timeoutSeconds: 5,
        maxAttempts: 3,
        ...more,
      });
    },
    startRead: (plan, workflowId = idOf(plan), queue = queueName(temporal.queuePrefix, 'reads')) =>
      client.workflow.start(WORKFLOWS.read, {
        workflowId,
        taskQueue: queue,
        args: [plan],
        workflowTaskTimeout: '3s',
        requestEagerStart: true,
      }),
    rows: (callId) => room.audit.list('manga', { limit: 200, ...(callId === undefined ? {} : { callId }) }),
    close: async () => {
      await Promise.all([...running].map((one) => one.stop()));
      await temporal.close();
      await room.drop();
    },
  };
  return stage;
}

function activitiesFor(room: Room, stage: Stage, { effects, court, audit, deps }: Parts) {
  const all = bodies({
    ...depsOf(room),
    desk: room.desk,
    effects: effects ?? room.effects,
    runs: { nudge: async (actionId) => stage.handle({ callId: actionId }).signal(NUDGE) },
    ...deps,
  });
  return activitiesOf(all, {
    seals: room.seals,
    audit: audit ?? room.audit,
    court: court ?? room.court,
    now: () => new Date(),
  });
}

function idOf(plan: unknown): string {
  const id = typeof plan === 'object' && plan !== null && 'callId' in plan ? plan.callId : undefined;
  return typeof id === 'string' ? id : `forged-${randomUUID()}`;
}

/** Every payload of a run's history as text: what whoever reads Temporal can read. */
export async function historyText(handle: WorkflowHandle): Promise<string> {
  return textsIn(await handle.fetchHistory()).join('\n');
}

/** Bytes are decoded here: a history's own JSON has them in base64, where no text is found. */
function textsIn(value: unknown): readonly string[] {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Names of the activities a run has scheduled, in order. */
export async function activityNames(handle: WorkflowHandle): Promise<readonly string[]> {
  const { events = [] } = await handle.fetchHistory();
  return (events ?? []).flatMap(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
  );
}

/** Bytes that are no JSON, under JSON's name. */
export function brokenPayload(text = '{"decision":'): Payload {
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) };
}
