import { z } from 'zod';
import { ACTION_STATES } from '../domain/action.ts';
import type { ActionSpec, ToolSpec } from './define.ts';
import { instant } from './field.ts';

/** A JSON Schema (draft 2020-12, MCP's default dialect, so unnamed) of an object. */
export type ObjectSchema = {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, z.core.JSONSchema._JSONSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | object;
  readonly title?: string;
  readonly description?: string;
};

const KEY_SCHEMA = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  description:
    'Your own id of this request. A repeat with the same key and arguments answers with the first action, not a second one.',
};

/** The input of a tool as clients are told it: its own arguments, their other names, and the platform's. */
export function listedInputSchema(tool: ToolSpec): ObjectSchema {
  const own = objectSchema(tool.input, 'input');
  const aliases = Object.entries(tool.aliases ?? {}).map(([alias, name]) => {
    const target = own.properties[name];
    return [
      alias,
      { ...(typeof target === 'object' ? target : {}), description: `Another name of ${name}.` },
    ];
  });
  const ignored = Object.entries(tool.ignored ?? {}).map(([name, description]) => [
    name,
    { type: 'string', description },
  ]);
  const key = tool.effect === 'action' ? [['idempotency_key', KEY_SCHEMA]] : [];
  return {
    ...own,
    properties: { ...own.properties, ...Object.fromEntries([...aliases, ...ignored, ...key]) },
    additionalProperties: false,
  };
}

/** What an action answers on the wire: where it stands, and the tool's own output once it has run. */
function actionOutcome(tool: ActionSpec) {
  return z.object({
    status: z
      .enum(ACTION_STATES)
      .describe('executed: it was done. pending_approval: nothing has happened yet.'),
    action_id: z.string().describe('For get_action_status.'),
    message: z.string().optional(),
    expires_at: instant.optional().describe('Until when people may decide.'),
    replayed: z
      .boolean()
      .optional()
      .describe('True when this repeats an earlier request: nothing new was asked.'),
    reason: z.object({ code: z.string(), message: z.string() }).optional(),
    result: tool.output.optional(),
  });
}

/** The output of a tool as clients are told it and as its structured content is. */
export function wireOutputSchema(tool: ToolSpec): ObjectSchema {
  return objectSchema(tool.effect === 'action' ? actionOutcome(tool) : tool.output, 'output');
}

function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _, properties = {}, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return { ...rest, type: 'object', properties };
}
