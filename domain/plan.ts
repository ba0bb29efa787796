import type { ApprovalRule, Risk } from './approval.ts';
import type { JsonObject } from './json.ts';
import type { PolicyClause } from './policy-clause.ts';
import type { Caller } from './principal.ts';

/**
 * What a workflow runs on: plain JSON made by the gateway from a tool's spec and a caller's arguments.
 * Workflows never see specs, so a later change of a tool cannot alter a run in history.
 *
 * `seal` is the gateway's HMAC over the rest; a worker refuses a plan without a valid one, so that
 * reaching Temporal does not mean being believed. `input` has its personal fields encrypted.
 */
type PlanBase = {
  readonly version: 1;
  /** Workflow id, and the id of the call in the audit log. */
  readonly callId: string;
  /** Tool or resource name; also the activity that does the work. */
  readonly tool: string;
  /** Domain server the tool belongs to. */
  readonly server: string;
  readonly caller: Caller;
  readonly input: JsonObject;
  /** Hex SHA-256 of the canonical input, before encryption. */
  readonly inputHash: string;
  /** How the call came in: `http`, `stdio`, `api`. */
  readonly transport: string;
  /** The caller's own id of the request, for the audit log. */
  readonly requestId: string;
  readonly timeoutSeconds: number;
  readonly seal: string;
};

export type ReadPlan = PlanBase & {
  readonly kind: 'read';
  readonly maxAttempts: number;
};

export type ActionPlan = PlanBase & {
  readonly kind: 'action';
  /** Version of the tool's input schema, part of the digest. */
  readonly schemaVersion: number;
  /** Hex SHA-256 over tenant, tool, schema version and parsed input: what people say yes to. */
  readonly digest: string;
  readonly risk: Risk;
  readonly approval: ApprovalRule;
  readonly ruleVersion: number;
  readonly title: string;
  /** What will happen, in a sentence, for the approver. Made of validated input. */
  readonly asks: string;
  /** What the policies say of it; absent when nothing was found. Shown to the approver as a quotation of its own. */
  readonly clause?: PolicyClause;
  readonly requestedAt: string;
  readonly expiresAt: string;
  /** Scopes the requester must still hold when the action runs. */
  readonly scopes: readonly string[];
};

export type Plan = ReadPlan | ActionPlan;

/** What an action's body gets. The key is stable over retries and restarts. */
export type ApprovedCall<Input> = {
  readonly plan: ActionPlan;
  /** `<workflowId>:<step>`. */
  readonly idempotencyKey: string;
  readonly input: Input;
};

/** What a read's body gets. */
export type ReadCall<Input> = { readonly caller: Caller; readonly input: Input };
