import type { ActionSpec, ControlSpec, ReadSpec, ResourceSpec } from '../../catalog/define.ts';
import { hashOf } from '../../catalog/digest.ts';
import { personalPaths } from '../../catalog/field.ts';
import { hidePersonal, showPersonal } from '../../catalog/personal.ts';
import type { OutgoingEvent } from '../../domain/events.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ApprovedCall, ReadCall, ReadPlan } from '../../domain/plan.ts';
import { callEnded } from '../../domain/record.ts';
import type { Seals } from '../../domain/seals.ts';
import type { ActionAnswer, ActionTask, ReadAnswer, ReadTask } from '../../domain/tasks.ts';
import { appendOrOwe, type Recorder } from './append-or-owe.ts';
import { assertOwnPlan, unsealed } from './own-plan.ts';

/** What a body needs around it. */
export type Around = Omit<Recorder, 'seals'> & {
  readonly seals: Seals;
  readonly now: () => Date;
  /** Told of a read's output once its row is durable: whoever waits in this process need not wait for Temporal. */
  readonly onAnswer?: (callId: string, output: JsonObject) => void;
};

/** Bodies as one type: each gets what its own spec's schema made, which is lost where they are a list. */
export type AnyReadBody = (call: ReadCall<never>) => Promise<unknown>;
export type AnyActionBody = (call: ApprovedCall<never>) => Promise<unknown>;

/**
 * The activity of a read, a control or a resource: looks at the seal, opens personal fields, runs the body, seals
 * personal fields again, and writes the one final row of the call.
 *
 * @throws {Refusal} plan_unsealed, and whatever the body refuses; the workflow records both.
 */
export function readActivity(
  spec: ReadSpec | ControlSpec | ResourceSpec,
  body: AnyReadBody,
  around: Around,
): (task: ReadTask) => Promise<ReadAnswer> {
  const inputs = personalPaths('params' in spec ? spec.params : spec.input);
  const outputs = personalPaths(spec.output);
  const { seals } = around;
  return async (task) => {
    assertOwnPlan(seals, task);
    const { plan, run } = task;
    // A good plan, started under the name of another body.
    if (plan.kind !== 'read' || plan.tool !== spec.name) throw unsealed();
    const { caller } = plan;
    const input = showPersonal(seals, caller.tenant, plan.input, inputs);
    // The gateway made the input with the body's own schema, and the seal says that it is still the same.
    const output = jsonOf(await body({ caller, input: input as never }));
    const at = around.now().toISOString();
    const entry = callEnded(plan, run, {
      outcome: 'ok',
      resultHash: hashOf(output),
      ...detailsOf(output),
      ...published(spec, { plan, output, input, at, seals }),
      at,
    });
    const { owed } = await appendOrOwe(around, [entry]);
    const hidden = hidePersonal(seals, caller.tenant, output, outputs);
    if (owed !== undefined) return { output: hidden, owed };
    around.onAnswer?.(plan.callId, hidden);
    return { output: hidden };
  };
}

type Ended = {
  readonly plan: ReadPlan;
  readonly output: JsonObject;
  readonly input: JsonObject;
  readonly at: string;
  readonly seals: Pick<Seals, 'pseudonym'>;
};

/** What the call tells the event stream. The id is the call's, as its row's key is: a repeat tells nothing new. */
function published(
  spec: ReadSpec | ControlSpec | ResourceSpec,
  { plan, output, input, at, seals }: Ended,
): { publishes?: OutgoingEvent } {
  const emitted = 'emits' in spec ? spec.emits?.(output, input) : undefined;
  if (emitted === undefined) return {};
  const { tenant, subject } = plan.caller;
  const payload = {
    ...emitted.payload,
    at,
    request_id: plan.callId,
    subject_hash: seals.pseudonym(tenant, subject),
  };
  return { publishes: { ...emitted, eventId: `${emitted.topic}:${plan.callId}`, payload, at } };
}

/**
 * The activity of an action. The final row is the effect's own: it is committed with it (`Effects.once`).
 *
 * @throws {Refusal} plan_unsealed, and whatever the body refuses.
 */
export function actionActivity(
  spec: ActionSpec,
  body: AnyActionBody,
  { seals }: Pick<Around, 'seals'>,
): (task: ActionTask) => Promise<ActionAnswer> {
  const inputs = personalPaths(spec.input);
  const outputs = personalPaths(spec.output);
  return async (task) => {
    assertOwnPlan(seals, task);
    const { plan, step } = task;
    if (plan.kind !== 'action' || plan.tool !== spec.name) throw unsealed();
    const { tenant } = plan.caller;
    const input = showPersonal(seals, tenant, plan.input, inputs);
    // As above: sealed since it was validated.
    const output = await body({ plan, idempotencyKey: `${plan.callId}:${step}`, input: input as never });
    // The result of a run before a deploy may have another shape than the tool has now.
    const parsed = spec.output.safeParse(output);
    return {
      result: hidePersonal(seals, tenant, jsonOf(output), outputs),
      message: parsed.success ? spec.say(parsed.data) : `${plan.title}: done.`,
    };
  };
}

/** Outputs are objects by their schemas; fields that are `undefined` do not survive the wire. */
function jsonOf(output: unknown): JsonObject {
  // The cast names what every output schema is: an object.
  return JSON.parse(JSON.stringify(output)) as JsonObject;
}

/** What is worth keeping of an answer: whether there was one, and whether it came from the cache. */
function detailsOf(output: JsonObject): { details?: JsonObject } {
  const { status, cache } = output as { readonly status?: unknown; readonly cache?: unknown };
  const hit = typeof cache === 'object' && cache !== null && 'hit' in cache ? cache.hit : undefined;
  const details = {
    ...(typeof status === 'string' ? { status } : {}),
    ...(typeof hit === 'boolean' ? { cache_hit: hit } : {}),
  };
  return Object.keys(details).length === 0 ? {} : { details };
}
