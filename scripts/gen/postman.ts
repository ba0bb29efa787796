import { tools } from '../../catalog/index.ts';

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'postman', version: '1' },
};

function header(key: string, value: string) {
  return { key, value };
}

/** One JSON-RPC message to /mcp, in the session that the first request of the collection opened. */
function rpc(name: string, method: string, params: unknown, tests: readonly string[] = []) {
  return {
    name,
    event: [
      {
        listen: 'test',
        script: {
          type: 'text/javascript',
          exec: ["pm.test('answered', () => pm.response.to.have.status(200));", ...tests],
        },
      },
    ],
    request: {
      method: 'POST',
      url: '{{base_url}}/mcp',
      header: [
        header('Content-Type', 'application/json'),
        header('Accept', 'application/json, text/event-stream'),
        ...(method === 'initialize' ? [] : [header('Mcp-Session-Id', '{{session_id}}')]),
      ],
      body: { mode: 'raw', raw: JSON.stringify({ jsonrpc: '2.0', id: name, method, params }, null, 2) },
    },
  };
}

function http(name: string, method: string, path: string, body?: unknown) {
  return {
    name,
    request: {
      method,
      url: `{{base_url}}${path}`,
      header: body === undefined ? [] : [header('Content-Type', 'application/json')],
      ...(body === undefined ? {} : { body: { mode: 'raw', raw: JSON.stringify(body, null, 2) } }),
    },
  };
}

/** A collection that runs from top to bottom: set `base_url` and `token` (`countersign token --as …`). */
export function postmanCollection() {
  return {
    info: {
      name: 'Countersign',
      description:
        'Run `npx countersign token --as supply_chain_manager`, put the last line into `token`, run from the top.',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: [
      { key: 'base_url', value: 'http://127.0.0.1:3000' },
      { key: 'token', value: '' },
      { key: 'session_id', value: '' },
      { key: 'action_id', value: '' },
    ],
    item: [
      http('health', 'GET', '/health'),
      rpc('initialize', 'initialize', INITIALIZE, [
        "pm.collectionVariables.set('session_id', pm.response.headers.get('Mcp-Session-Id'));",
      ]),
      rpc('tools/list', 'tools/list', {}),
      rpc('resources/templates/list', 'resources/templates/list', {}),
      rpc('prompts/list', 'prompts/list', {}),
      ...tools.flatMap((tool) =>
        tool.examples.map(({ prompt, input }) =>
          rpc(`${tool.name}: ${prompt}`, 'tools/call', { name: tool.name, arguments: input }),
        ),
      ),
      http('pending approvals', 'GET', '/v1/approvals'),
      http('decide', 'POST', '/v1/approvals/{{action_id}}/decision', {
        decision: 'approve',
        comment: 'Fits the shelf.',
      }),
      http('audit', 'GET', '/v1/audit'),
    ],
  };
}
