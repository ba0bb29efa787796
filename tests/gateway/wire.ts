import { generateKeyPairSync } from 'node:crypto';
import { internalTools, promptsOf, resourcesOf, toolsOf } from '../../catalog/index.ts';
import type { Action, ActionDesk } from '../../domain/action.ts';
import type { Decision } from '../../domain/approval.ts';
import type { AuditEntry } from '../../domain/audit.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ActionPlan, ReadPlan } from '../../domain/plan.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Runs } from '../../domain/runs.ts';
import type { Seals } from '../../domain/seals.ts';
import { gatewayCore } from '../../mcp-gateway/gateway-core.ts';
import type { HttpDeps } from '../../mcp-gateway/http.ts';
import { developmentIssuer, verifier } from '../../mcp-gateway/identity.ts';
import { type Listening, listen } from '../../mcp-gateway/listen.ts';
import { createMetrics } from '../../mcp-gateway/metrics.ts';
import { mintToken } from '../../mcp-gateway/mint-token.ts';
import type { Host } from '../../mcp-gateway/serving.ts';
import { sessionTable } from '../../mcp-gateway/sessions.ts';
import { DEVELOPMENT_ISSUER, loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { createSeals } from '../../platform/seals.ts';

/** A gateway with everything real up to the plan; what runs plans is the test's own. */
export type Wire = Listening & {
  readonly rows: AuditEntry[];
  readonly plans: ReadPlan[];
  readonly started: ActionPlan[];
  readonly actions: Map<string, Action>;
  /** The vote that counted, by action. */
  readonly votes: Map<string, Decision>;
  readonly signingKey: string;
  mint(as: string, more?: { shop?: string; subject?: string; ttlSeconds?: number }): Promise<string>;
  sweep(): Promise<void>;
};

export type WireOptions = {
  /** Answers reads; default: stock of BER42. */
  readonly read?: (plan: ReadPlan, signal: AbortSignal | undefined) => Promise<JsonObject>;
  readonly runs?: Partial<Runs>;
  readonly desk?: Partial<ActionDesk>;
  readonly append?: (entries: readonly AuditEntry[]) => Promise<void>;
  readonly env?: Readonly<Record<string, string>>;
  readonly host?: Host;
  readonly pageSize?: number;
  readonly checks?: Readonly<Record<string, () => Promise<unknown>>>;
  readonly carriers?: HttpDeps['carriers'];
};

export const STOCK: JsonObject = {
  status: 'found',
  message: 'In stock · 14 units · ships from Tokyo',
  manga_id: 'BER42',
  volume_number: 42,
  in_stock: true,
  quantity: 14,
  source: 'aurora_live',
  as_of: '2026-11-21T00:00:00.000Z',
  cache: { hit: false, age_s: 0, ttl_s: 10 },
};

export function newSigningKey(): string {
  return JSON.stringify({
    ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
    alg: 'EdDSA',
  });
}

export async function startWire(options: WireOptions = {}): Promise<Wire> {
  const signingKey = newSigningKey();
  const settings = loadSettings({
    COUNTERSIGN_PROFILE: 'development',
    COUNTERSIGN_SIGNING_KEY: signingKey,
    PORT: '0',
    LOG_LEVEL: 'silent',
    DRAIN_SECONDS: '2',
    ...options.env,
  });
  const rows: AuditEntry[] = [];
  const plans: ReadPlan[] = [];
  const started: ActionPlan[] = [];
  const actions = new Map<string, Action>();
  const votes = new Map<string, Decision>();
  const read = options.read ?? (async () => STOCK);
  const runs: Runs = {
    read: async (plan, { signal } = {}) => {
      plans.push(plan);
      return read(plan, signal);
    },
    startAction: async (plan) => void started.push(plan),
    vote: async () => ({ ballotNo: 1, admitted: true, decision: 'approve', standing: 'approved' }),
    nudge: async () => undefined,
    oweAudit: async (entries) => void rows.push(...entries),
    ...options.runs,
  };
  const key = Buffer.alloc(32, 7).toString('base64');
  const seals: Seals = createSeals({ seal: [key], personal: [key] });
  const sessions = sessionTable(settings.web.sessionIdleSeconds);
  const metrics = createMetrics({ sessions: () => sessions.size });
  const core = gatewayCore({
    catalog: {
      toolsOf,
      resourcesOf,
      promptsOf,
      internal: new Map(internalTools.map((one) => [one.name, one])),
    },
    runs,
    desk: { ...memoryDesk(actions, votes), ...options.desk },
    audit: { append: options.append ?? (async (entries) => void rows.push(...entries)) },
    seals,
    metrics,
    log: createLog({ level: 'silent' }),
  });
  const listening = await listen({
    settings,
    core,
    sessions,
    metrics,
    verifier: verifier([developmentIssuer(DEVELOPMENT_ISSUER, signingKey)]),
    auditReader: {
      list: async (tenant, { limit }) =>
        rows
          .filter((row) => row.tenant === tenant)
          .slice(0, limit)
          .map((row, index) => ({ ...row, position: index + 1 })),
    },
    checks: options.checks ?? { temporal: async () => undefined, postgres_write: async () => undefined },
    host: options.host,
    carriers: options.carriers,
    ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
  });
  const { audiences } = settings.identity;
  return {
    ...listening,
    rows,
    plans,
    started,
    actions,
    votes,
    signingKey,
    sweep: () => sessions.sweep(),
    mint: async (as, { shop = 'manga', ttlSeconds = 600, ...more } = {}) =>
      (
        await mintToken(
          { as, shop, ttlSeconds, ...more },
          { issuer: DEVELOPMENT_ISSUER, signingKey, audiences },
        )
      ).token,
  };
}

/** Claims in memory: enough of the desk to see what the gateway makes of its answers. */
function memoryDesk(actions: Map<string, Action>, votes: Map<string, Decision>): ActionDesk {
  const none = async () => {
    throw new Refusal('not_found', 'There is no such action.');
  };
  return {
    async claim(plan, key, check) {
      const known = [...actions.values()].find((one) => one.digest === plan.digest || one.actionId === key);
      if (known) return { action: known, replayed: true };
      await check?.();
      const action = actionOf(plan);
      actions.set(plan.callId, action);
      return { action, replayed: false };
    },
    find: async (caller, id) => {
      const action = actions.get(id);
      return action?.tenant === caller.tenant ? action : undefined;
    },
    voteOf: async (_caller, id) => votes.get(id),
    pending: async ({ tenant }) => [...actions.values()].filter((one) => one.tenant === tenant),
    cancel: none,
    issueCode: async () => ({ code: 'c0de', expiresAt: '2026-11-21T10:00:00.000Z' }),
    open: async () => [],
  };
}

function actionOf(plan: ActionPlan): Action {
  return {
    actionId: plan.callId,
    tenant: plan.caller.tenant,
    tool: plan.tool,
    title: plan.title,
    asks: plan.asks,
    state: 'pending_approval',
    requester: plan.caller.subject,
    actor: plan.caller.actor ?? null,
    approverRole: plan.approval.role,
    approversNeeded: plan.approval.approvers,
    digest: plan.digest,
    requestedAt: plan.requestedAt,
    expiresAt: plan.expiresAt,
    endedAt: null,
    result: null,
    reason: null,
    ballots: [],
    plan,
  };
}

/** One JSON-RPC session spoken by hand: no client library corrects what is sent or hides what comes back. */
export async function openSession(url: string, token: string, path = '/mcp'): Promise<RawSession> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const begun = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(INITIALIZE) });
  const id = begun.headers.get('mcp-session-id') ?? '';
  const hello = await answerIn(begun);
  const own = { ...headers, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
  let next = 1;
  const post = (body: unknown, more: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { ...own, ...more },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    id,
    hello,
    headers: own,
    post,
    async ask(method, params, requestId) {
      next += 1;
      const response = await post({ jsonrpc: '2.0', id: requestId ?? next, method, params });
      return answerIn(response);
    },
  };
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

/** A JSON-RPC answer, loosely typed: tests look at what is there. */
export type Answer = {
  readonly status: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number | string; readonly message: string; readonly data?: unknown };
};

export type RawSession = {
  readonly id: string;
  readonly hello: Answer;
  readonly headers: Readonly<Record<string, string>>;
  post(body: unknown, more?: Readonly<Record<string, string>>): Promise<Response>;
  ask(method: string, params?: unknown, requestId?: number | string): Promise<Answer>;
};

/** The last JSON message of a response, whether it came alone or as an event stream. */
export async function answerIn(response: Response): Promise<Answer> {
  const text = await response.text();
  const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
  const last = lines.at(-1)?.slice('data: '.length) ?? text;
  const parsed: object = last === '' ? {} : JSON.parse(last);
  return { status: response.status, ...parsed };
}

export function textOf(answer: Answer, index = 0): string {
  const content = answer.result?.['content'];
  const block: unknown = Array.isArray(content) ? content[index] : undefined;
  return typeof block === 'object' && block !== null && 'text' in block ? String(block.text) : '';
}
