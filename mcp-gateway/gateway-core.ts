import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { mayUse } from '../catalog/access.ts';
import type { PromptSpec, ResourceSpec, Server, ToolSpec } from '../catalog/define.ts';
import type { ActionDesk } from '../domain/action.ts';
import type { AuditLog } from '../domain/audit.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/principal.ts';
import { type Scope, scopesOf } from '../domain/roles.ts';
import type { Runs } from '../domain/runs.ts';
import type { Seals } from '../domain/seals.ts';
import type { Logger } from '../platform/log.ts';
import { type ToolCall, callTool } from './call-tool.ts';
import { type Compiler, planCompiler } from './compile-plan.ts';
import { type GatewayRecord, gatewayRecord } from './gateway-record.ts';
import type { Metrics } from './metrics.ts';

/** What there is to serve. */
type Catalog = {
  toolsOf(server?: Server): readonly ToolSpec[];
  resourcesOf(server?: Server): readonly ResourceSpec[];
  promptsOf(server?: Server): readonly PromptSpec[];
  /** Reads of the platform's own, by name. */
  readonly internal: ReadonlyMap<string, ToolSpec>;
};

export type CoreDeps = {
  readonly catalog: Catalog;
  readonly runs: Runs;
  readonly desk: ActionDesk;
  readonly audit: AuditLog;
  readonly seals: Seals;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now?: () => Date;
  readonly approvalSeconds?: number | undefined;
};

/** How a caller stands to a tool. */
type Standing =
  | { readonly kind: 'may'; readonly tool: ToolSpec }
  /** The caller's roles could be given one of these scopes; the token has none. */
  | { readonly kind: 'could'; readonly tool: ToolSpec; readonly scopes: readonly Scope[] }
  | { readonly kind: 'unknown' };

/** Everything a transport needs to serve a caller; the same for all transports. */
export type Core = {
  readonly runs: Runs;
  readonly desk: ActionDesk;
  readonly seals: Seals;
  readonly compiler: Compiler;
  readonly record: GatewayRecord;
  readonly log: Logger;
  readonly catalog: Catalog;
  tools(principal: Principal, server?: Server): readonly ToolSpec[];
  resources(principal: Principal, server?: Server): readonly ResourceSpec[];
  prompts(principal: Principal, server?: Server): readonly PromptSpec[];
  standing(principal: Principal, name: string, server?: Server): Standing;
  call(call: ToolCall): Promise<CallToolResult>;
  /** Runs an internal read by name. */
  internal(name: string, input: JsonObject, asked: Omit<ToolCall, 'tool' | 'sent'>): Promise<JsonObject>;
};

export function gatewayCore(deps: CoreDeps): Core {
  const { catalog, runs, desk, seals, metrics, log, approvalSeconds, now = () => new Date() } = deps;
  const compiler = planCompiler({ seals, now, approvalSeconds });
  const record = gatewayRecord({ audit: deps.audit, runs, log, now });
  const callDeps = { runs, desk, compiler, seals, record, log, internal: catalog.internal };

  function standing(principal: Principal, name: string, server?: Server): Standing {
    const tool = catalog.toolsOf(server).find((one) => one.name === name);
    if (tool === undefined) return { kind: 'unknown' };
    if (mayUse(tool, principal)) return { kind: 'may', tool };
    // What the role can never have stays unknown, so that nobody maps the catalog by its refusals.
    const could = { ...principal, scopes: scopesOf(principal.roles) };
    return mayUse(tool, could)
      ? { kind: 'could', tool, scopes: tool.scopes.filter((scope) => could.scopes.includes(scope)) }
      : { kind: 'unknown' };
  }

  return {
    runs,
    desk,
    seals,
    compiler,
    record,
    log,
    catalog,
    tools: (principal, server) => catalog.toolsOf(server).filter((tool) => mayUse(tool, principal)),
    resources: (principal, server) => catalog.resourcesOf(server).filter((one) => mayUse(one, principal)),
    prompts: (principal, server) => catalog.promptsOf(server).filter((one) => mayUse(one, principal)),
    standing,
    async call(call) {
      const from = performance.now();
      const { result, outcome } = await callTool(callDeps, call);
      metrics.call(call.tool.name, outcome, (performance.now() - from) / 1000);
      return result;
    },
    internal(name, input, asked) {
      const spec = catalog.internal.get(name);
      if (spec?.effect !== 'read') throw new Error(`${name} is no internal read`);
      const { signal } = asked;
      return runs.read(compiler.read(spec, input, asked), signal === undefined ? {} : { signal });
    },
  };
}
