import {
  ListResourceTemplatesRequestSchema,
  ListResourcesRequestSchema,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { personalPaths } from '../catalog/field.ts';
import type { ResourceSpec } from '../catalog/define.ts';
import type { JsonObject } from '../domain/json.ts';
import { Refusal } from '../domain/refusal.ts';
import { JSON_OBJECT } from './compile-plan.ts';
import { byName, page } from './pages.ts';
import { showPersonal } from '../catalog/personal.ts';
import { internalError, resourceNotFound } from './rpc-error.ts';
import type { Context, Register, Serving } from './serving.ts';
import { uriPattern } from './uri-template.ts';

const MIME = 'application/json';

export function serveResources(on: Register, serving: Serving): void {
  const { core, server, pageSize } = serving;

  on(ListResourcesRequestSchema, async ({ params }, { principal }) => {
    const fixed = core.resources(principal, server).filter(({ uri }) => !uriPattern(uri).isTemplate);
    const { items, ...rest } = page(byName(fixed), params?.cursor, pageSize);
    return { resources: items.map(({ uri, ...spec }) => ({ uri, ...described(spec) })), ...rest };
  });

  on(ListResourceTemplatesRequestSchema, async ({ params }, { principal }) => {
    const templates = core.resources(principal, server).filter(({ uri }) => uriPattern(uri).isTemplate);
    const { items, ...rest } = page(byName(templates), params?.cursor, pageSize);
    return {
      resourceTemplates: items.map(({ uri: uriTemplate, ...spec }) => ({ uriTemplate, ...described(spec) })),
      ...rest,
    };
  });

  on(ReadResourceRequestSchema, async ({ params: { uri } }, context) => {
    const output = await read(serving, uri, context);
    return { contents: [{ uri, mimeType: MIME, text: JSON.stringify(output) }] };
  });
}

function described({ name, title, description }: Omit<ResourceSpec, 'uri'>) {
  return { name, title, description, mimeType: MIME };
}

async function read({ core, server }: Serving, uri: string, context: Context): Promise<JsonObject> {
  const { principal, asked, signal } = context;
  const found = findResource(core.resources(principal, server), uri);
  if (found === undefined) {
    await deny('resource', 'not_found');
    throw resourceNotFound(uri);
  }
  const plan = core.compiler.resource(found.spec, found.params, asked);
  try {
    const output = await core.runs.read(plan, { signal });
    return showPersonal(core.seals, principal.tenant, output, personalPaths(found.spec.output));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'not_found' || error.code === 'stock_not_found') throw resourceNotFound(uri);
    if (error.code === 'busy') await deny(found.spec.name, 'busy');
    throw internalError(`${error.message} (call ${plan.callId})`);
  }

  function deny(tool: string, reason: 'not_found' | 'busy') {
    const { requestId, transport } = asked;
    const moment = { event: 'denied', outcome: 'denied', final: true } as const;
    return core.record.write({ ...moment, tool, reason, principal, transport, requestId });
  }
}

/** The spec a URI belongs to, with its variables validated. What does not validate does not exist. */
function findResource(
  specs: readonly ResourceSpec[],
  uri: string,
): { readonly spec: ResourceSpec; readonly params: JsonObject } | undefined {
  for (const spec of specs) {
    const variables = uriPattern(spec.uri).match(uri);
    if (variables === undefined) continue;
    const params = spec.params.safeParse(variables);
    if (params.success) return { spec, params: JSON_OBJECT.parse(params.data) };
  }
  return undefined;
}
