import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  EmptyResultSchema,
  GetPromptRequestSchema,
  ReadResourceRequestSchema,
  type ServerResult,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Context, Host } from '../../../mcp-gateway/serving.ts';

/**
 * What the conformance package expects every server under test to have, put before the gateway's own handlers.
 * Whatever is not a fixture goes on to the product, and so does everything around it: identity, sessions,
 * transport, host checks.
 */
export const conformanceHost: Host = {
  capabilities: { resources: { subscribe: true } },
  async intercept(method, request, context, next) {
    const own = ANSWERS[method];
    return (await own?.(request, context, next)) ?? next();
  },
  register(server: Server) {
    server.setRequestHandler(SubscribeRequestSchema, async () => ({}));
    server.setRequestHandler(UnsubscribeRequestSchema, async () => EmptyResultSchema.parse({}));
  },
};

type Answer = (
  request: unknown,
  context: Context,
  next: () => Promise<ServerResult>,
) => Promise<ServerResult | undefined>;

/** A red pixel and a silent sound, as small as they get. */
const IMAGE = {
  type: 'image',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  mimeType: 'image/png',
} as const;
const AUDIO = {
  type: 'audio',
  data: 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=',
  mimeType: 'audio/wav',
} as const;

const text = (words: string) => ({ type: 'text', text: words }) as const;
const resource = (uri: string, mimeType: string, words: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text: words } }) as const;
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const ANSWERS: Readonly<Record<string, Answer>> = {
  'tools/list': async (_request, _context, next) =>
    withMore(await next(), 'tools', [...LISTED_TOOLS, JSON_SCHEMA_TOOL]),
  'tools/call': async (request, context) => {
    const { name, arguments: given = {} } = CallToolRequestSchema.parse(request).params;
    return TOOLS[name]?.(given, context);
  },
  'resources/list': async (_request, _context, next) => withMore(await next(), 'resources', LISTED_RESOURCES),
  'resources/templates/list': async (_request, _context, next) =>
    withMore(await next(), 'resourceTemplates', [
      { uriTemplate: 'test://template/{id}/data', name: 'test_template', mimeType: 'application/json' },
    ]),
  'resources/read': async (request) => read(ReadResourceRequestSchema.parse(request).params.uri),
  'prompts/list': async (_request, _context, next) => withMore(await next(), 'prompts', LISTED_PROMPTS),
  'prompts/get': async (request) => {
    const { name, arguments: given = {} } = GetPromptRequestSchema.parse(request).params;
    return prompt(name, given);
  },
  'completion/complete': async (request) =>
    JSON.stringify(request).includes('test_prompt_with_arguments')
      ? { completion: { values: ['paris', 'park', 'party'], hasMore: false } }
      : undefined,
};

function withMore(result: ServerResult, list: string, more: readonly unknown[]): ServerResult {
  const own: unknown = Reflect.get(result, list);
  return { ...result, [list]: [...(Array.isArray(own) ? own : []), ...more] };
}

type Tool = (given: Readonly<Record<string, unknown>>, context: Context) => Promise<ServerResult>;

const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: async () => ({ content: [text('This is a simple text response for testing.')] }),
  test_image_content: async () => ({ content: [IMAGE] }),
  test_audio_content: async () => ({ content: [AUDIO] }),
  test_embedded_resource: async () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }),
  test_multiple_content_types: async () => ({
    content: [
      text('Multiple content types test:'),
      IMAGE,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }),
  test_error_handling: async () => ({
    isError: true,
    content: [text('This tool intentionally returns an error for testing')],
  }),
  test_tool_with_logging: async (_given, { extra }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
      await pause();
    }
    return { content: [text('Tool with logging executed successfully')] };
  },
  test_tool_with_progress: async (_given, { extra }) => {
    const progressToken = extra._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 };
        await extra.sendNotification({ method: 'notifications/progress', params });
      }
      await pause();
    }
    return { content: [text('Tool with progress executed successfully')] };
  },
  test_reconnection: async (_given, { extra }) => {
    extra.closeSSEStream?.();
    await pause();
    return { content: [text('Reconnection test completed successfully')] };
  },
  test_sampling: async ({ prompt }, { extra }) => {
    const messages = [{ role: 'user' as const, content: text(String(prompt)) }];
    const params = { messages, maxTokens: 100 };
    const answer = await extra.sendRequest(
      { method: 'sampling/createMessage', params },
      CreateMessageResultSchema,
    );
    return { content: [text(`LLM response: ${JSON.stringify(answer.content)}`)] };
  },
  test_elicitation: async ({ message }, context) =>
    elicit(context, String(message), 'User response', {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    }),
  test_elicitation_sep1034_defaults: async (_given, context) =>
    elicit(context, 'Every primitive with its default', 'Elicitation completed', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  test_elicitation_sep1330_enums: async (_given, context) =>
    elicit(context, 'Every kind of choice', 'Elicitation completed', {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: {
        type: 'string',
        oneOf: choices('value', ['First Option', 'Second Option', 'Third Option']),
      },
      legacyEnum: {
        type: 'string',
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: {
        type: 'array',
        items: { anyOf: choices('value', ['First Choice', 'Second Choice', 'Third Choice']) },
      },
    }),
};

function choices(prefix: string, titles: readonly string[]) {
  return titles.map((title, index) => ({ const: `${prefix}${index + 1}`, title }));
}

type Properties = Extract<
  Parameters<Server['elicitInput']>[0],
  { requestedSchema: unknown }
>['requestedSchema']['properties'];

async function elicit(
  { extra }: Context,
  message: string,
  said: string,
  properties: Properties,
): Promise<ServerResult> {
  const params = { message, requestedSchema: { type: 'object' as const, properties } };
  const { action, content = {} } = await extra.sendRequest(
    { method: 'elicitation/create', params },
    ElicitResultSchema,
  );
  return { content: [text(`${said}: action=${action}, content=${JSON.stringify(content)}`)] };
}

/** A schema with every keyword of 2020-12 that a gateway could lose on the way. */
const JSON_SCHEMA_TOOL = {
  name: 'json_schema_2020_12_tool',
  description: 'Tool with JSON Schema 2020-12 features',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema, never awaited
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  },
};

const LISTED_TOOLS = Object.keys(TOOLS).map((name) => ({
  name,
  description: `Fixture ${name}`,
  inputSchema: { type: 'object', properties: {} },
}));

const LISTED_RESOURCES = [
  { uri: 'test://static-text', name: 'static_text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static_binary', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched_resource', mimeType: 'text/plain' },
];

function read(uri: string): ServerResult | undefined {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined) {
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri, mimeType: 'application/json', text: data }] };
  }
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: IMAGE.data }] };
  if (uri === 'test://static-text' || uri === 'test://watched-resource') {
    return {
      contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    };
  }
  return undefined;
}

const LISTED_PROMPTS = [
  { name: 'test_simple_prompt', description: 'Fixture' },
  {
    name: 'test_prompt_with_arguments',
    description: 'Fixture',
    arguments: ['arg1', 'arg2'].map((name) => ({ name, description: name, required: true })),
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'Fixture',
    arguments: [{ name: 'resourceUri', description: 'URI', required: true }],
  },
  { name: 'test_prompt_with_image', description: 'Fixture' },
];

function prompt(name: string, given: Readonly<Record<string, string>>): ServerResult | undefined {
  const messages = {
    test_simple_prompt: () => [text('This is a simple prompt for testing.')],
    test_prompt_with_arguments: () => [
      text(`Prompt with arguments: arg1='${given['arg1'] ?? ''}', arg2='${given['arg2'] ?? ''}'`),
    ],
    test_prompt_with_embedded_resource: () => [
      resource(given['resourceUri'] ?? '', 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ],
    test_prompt_with_image: () => [IMAGE, text('Please analyze the image above.')],
  }[name];
  return messages && { messages: messages().map((content) => ({ role: 'user' as const, content })) };
}
