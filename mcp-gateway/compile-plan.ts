import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type SortedArguments, sortArguments } from '../catalog/arguments.ts';
import type { ActionSpec, ControlSpec, ReadSpec, ResourceSpec, ToolSpec } from '../catalog/define.ts';
import { digestOf, hashOf } from '../catalog/digest.ts';
import { personalPaths } from '../catalog/field.ts';
import { APPROVAL_FOR, RULE_VERSION } from '../domain/approval.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ActionPlan, ReadPlan } from '../domain/plan.ts';
import type { PolicyClause } from '../domain/policy-clause.ts';
import { type Principal, callerOf } from '../domain/principal.ts';
import type { Seals } from '../domain/seals.ts';
import { storable } from '../domain/storable.ts';
import { hidePersonal } from '../catalog/personal.ts';
import { cameBy } from './bypass.ts';
import { invalidArguments, problemsOf } from './render.ts';

/** One request of a verified caller, as any transport brings it. */
export type Asked = {
  readonly principal: Principal;
  readonly transport: 'http' | 'stdio' | 'api';
  /** Unguessable, and one per MCP session: two sessions never share a call. */
  readonly session: string;
  /** The client's own id of the request. */
  readonly requestId: string;
};

export type Compiler = {
  /** `input` is validated and not sealed yet. */
  read(spec: ReadSpec | ControlSpec, input: JsonObject, asked: Asked): ReadPlan;
  resource(spec: ResourceSpec, params: JsonObject, asked: Asked): ReadPlan;
  /** `clause`: what the policies say of it, as they stand now. */
  action(spec: ActionSpec, input: JsonObject, asked: Asked, clause?: PolicyClause): ActionPlan;
};

type CompilerDeps = {
  readonly seals: Seals;
  readonly now: () => Date;
  /** Shortens every approval period. Development only. */
  readonly approvalSeconds?: number | undefined;
};

/** A read is tried again when its worker or database fails in mid-call; a refusal is final. */
const READ_ATTEMPTS = 3;

/** Principal, spec and validated input → sealed plan. */
export function planCompiler({ seals, now, approvalSeconds }: CompilerDeps): Compiler {
  function base(spec: ToolSpec | ResourceSpec, schema: z.ZodType, input: JsonObject, asked: Asked) {
    const inputHash = hashOf(input);
    return {
      version: 1 as const,
      callId: callIdOf(asked, spec.name, inputHash),
      tool: spec.name,
      server: spec.server,
      caller: callerOf(asked.principal),
      input: hidePersonal(seals, asked.principal.tenant, input, personalPaths(schema)),
      inputHash,
      transport: cameBy(asked.transport, asked.principal),
      requestId: storable(asked.requestId, 200),
      timeoutSeconds: spec.timeoutSeconds,
    };
  }

  return {
    read: (spec, input, asked) =>
      seals.sealPlan<ReadPlan>({
        ...base(spec, spec.input, input, asked),
        kind: 'read',
        maxAttempts: READ_ATTEMPTS,
      }),
    resource: (spec, params, asked) =>
      seals.sealPlan<ReadPlan>({
        ...base(spec, spec.params, params, asked),
        kind: 'read',
        maxAttempts: READ_ATTEMPTS,
      }),
    action(spec, input, asked, clause) {
      const { tenant, scopes } = asked.principal;
      const rule = APPROVAL_FOR[spec.risk];
      const expiresInSeconds = approvalSeconds ?? rule.expiresInSeconds;
      const requestedAt = now();
      return seals.sealPlan<ActionPlan>({
        ...base(spec, spec.input, input, asked),
        kind: 'action',
        schemaVersion: spec.schemaVersion,
        digest: digestOf({ tenant, tool: spec.name, schemaVersion: spec.schemaVersion, input }),
        risk: spec.risk,
        approval: { ...rule, expiresInSeconds, role: spec.approverRole },
        ruleVersion: RULE_VERSION,
        title: spec.title,
        asks: spec.asks(input),
        ...(clause === undefined ? {} : { clause }),
        requestedAt: requestedAt.toISOString(),
        expiresAt: new Date(requestedAt.getTime() + expiresInSeconds * 1000).toISOString(),
        scopes: spec.scopes.filter((scope) => scopes.includes(scope)),
      });
    },
  };
}

/**
 * Workflow id of a call. The same request of the same session is the same call, however often it arrives;
 * the session's id makes it unguessable, so nobody else's call can be asked for by it.
 */
function callIdOf({ principal, session, requestId }: Asked, tool: string, inputHash: string): string {
  const { tenant, subject, actor } = principal;
  const parts = JSON.stringify([tenant, subject, actor ?? null, session, requestId, tool, inputHash]);
  return `${tool}-${createHash('sha256').update(parts).digest('base64url').slice(0, 32)}`;
}

export type ParsedArguments = Pick<SortedArguments, 'userId' | 'idempotencyKey'> & {
  readonly input: JsonObject;
};

/** What a schema made, as plain JSON. */
export const JSON_OBJECT: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/**
 * What the tool itself is given, out of what a client sent.
 * @throws {Refusal} invalid_arguments, naming each argument that is wrong
 */
export function parseArguments(tool: ToolSpec, sent: Readonly<Record<string, unknown>>): ParsedArguments {
  const sorted = sortArguments(tool, sent);
  const parsed = tool.input.safeParse(sorted.input);
  const problems = [...sorted.problems, ...(parsed.success ? [] : problemsOf(parsed.error))];
  if (!parsed.success || problems.length > 0) throw invalidArguments(problems);
  return {
    input: JSON_OBJECT.parse(parsed.data),
    ...(sorted.userId === undefined ? {} : { userId: sorted.userId }),
    ...(sorted.idempotencyKey === undefined ? {} : { idempotencyKey: sorted.idempotencyKey }),
  };
}
