import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  type Tool,
  ToolSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { listedInputSchema, wireOutputSchema } from '../catalog/schemas.ts';
import type { ToolSpec } from '../catalog/define.ts';
import { Refusal } from '../domain/refusal.ts';
import { byName, page } from './pages.ts';
import { refusalResult } from './render.ts';
import { invalidParams } from './rpc-error.ts';
import type { Register, Serving } from './serving.ts';

export function serveTools(on: Register, { core, server, pageSize }: Serving): void {
  on(ListToolsRequestSchema, async ({ params }, { principal }) => {
    const { items, ...rest } = page(byName(core.tools(principal, server)), params?.cursor, pageSize);
    return { tools: items.map(listedTool), ...rest };
  });

  on(CallToolRequestSchema, async ({ params }, context) => {
    const { principal, asked } = context;
    const standing = core.standing(principal, params.name, server);
    if (standing.kind === 'unknown') {
      await deny(params.name, 'unknown_tool');
      throw invalidParams(`Unknown tool: ${shownName(params.name)}`);
    }
    if (standing.kind === 'could') {
      await deny(params.name, 'insufficient_scope');
      const scopes = standing.scopes.join(' or ');
      return refusalResult(
        new Refusal('insufficient_scope', `Your token lacks the scope ${scopes}.`),
        asked.requestId,
      );
    }
    const stopProgress = context.progress(`${standing.tool.title}: started`);
    try {
      return await core.call({
        ...asked,
        tool: standing.tool,
        sent: params.arguments ?? {},
        metaKey: params._meta?.['idempotencyKey'],
        signal: context.signal,
      });
    } finally {
      await stopProgress(`${standing.tool.title}: answered`);
    }

    function deny(tool: string, reason: 'unknown_tool' | 'insufficient_scope') {
      const { requestId, transport } = asked;
      const moment = { event: 'denied', outcome: 'denied', final: true } as const;
      return core.record.write({ ...moment, tool: shownName(tool), reason, principal, transport, requestId });
    }
  });
}

/** A name from outside is repeated, and written down, only while it looks like one. */
function shownName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : '(not a tool name)';
}

const listed = new WeakMap<ToolSpec, Tool>();

function listedTool(tool: ToolSpec): Tool {
  const known = listed.get(tool) ?? describe(tool);
  listed.set(tool, known);
  return known;
}

function describe(tool: ToolSpec): Tool {
  const changes = tool.effect !== 'read';
  return ToolSchema.parse({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: listedInputSchema(tool),
    outputSchema: wireOutputSchema(tool),
    annotations: {
      title: tool.title,
      readOnlyHint: !changes,
      destructiveHint: tool.effect === 'action',
      // A repeat of an open or keyed request is the same request, and withdrawing twice withdraws once.
      idempotentHint: true,
      openWorldHint: false,
    },
  });
}
