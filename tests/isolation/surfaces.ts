import { catalog, prompts, resources } from '../../catalog/index.ts';
import { listedInputSchema } from '../../catalog/schemas.ts';
import { approvalsApi, type ApiDeps } from '../../mcp-gateway/approvals-api.ts';
import { auditApi } from '../../mcp-gateway/audit-api.ts';
import type { AuditReader } from '../../domain/audit.ts';
import type { Asker, Heard } from './ask.ts';
import type { Own } from './shops.ts';

/** One place where a caller may name somebody else's thing. */
export type Surface = {
  readonly name: string;
  /** Kind of id that belongs here. */
  readonly kind: string;
  /** False where the id is not looked up: whose it is can make no difference to anybody, owners too. */
  readonly looksUp: boolean;
  /** `own`: what stands in the other arguments. */
  ask(by: Asker, id: string, own: Own): Promise<Heard>;
};

/** Nobody says here which ids belong there, and the suite fails. */
export const UNKNOWN_KIND = 'unknown';

/** Which kind of id each argument takes. What is in none of these lists fails the suite. */
const KIND_OF_ARGUMENT: Readonly<Record<string, string>> = {
  action_id: 'action_id',
  category: 'category',
  manga_id: 'manga_id',
  order_id: 'order_id',
  product: 'product',
  promotion_id: 'promotion_id',
  sku: 'sku',
  user_id: 'user_id',
  warehouse: 'warehouse',
};

/** Arguments that name nothing: amounts, and the caller's own words. */
const NAMES_NOTHING = new Set([
  'as_of',
  'delivery_address',
  'discount_pct',
  // Names of policies, the same in many shops: tests/activities/search-policies.test.ts keeps their texts apart.
  'doc_id',
  'doc_version',
  'ends_at',
  'idempotency_key',
  'kind',
  'limit',
  'locale',
  'low_stock_threshold',
  'name',
  'previous',
  'quantity',
  'question',
  'starts_at',
  'status',
  'volume',
  'volume_number',
]);

const KIND_OF_ROUTE_VARIABLE: Readonly<Record<string, string>> = { id: 'action_id' };
/** Query of `/v1/audit`, by the kind of id it takes. */
const AUDIT_QUERY: Readonly<Record<string, string>> = { call_id: 'call_id', subject: 'user_id' };
const BODY_OF_ROUTE = { decision: 'approve' };

/** Every place, made from the catalog and the routers: a new one is here without anybody's doing. */
export function surfaces(): readonly Surface[] {
  return [
    ...[...catalog.values()].flatMap(ofTool),
    ...resources.flatMap(ofResource),
    ...prompts.flatMap(ofPrompt),
    ...ofRoutes(),
  ];
}

/** What is read without naming anything: the caller's own, or nothing. */
export function lists(): readonly { readonly name: string; ask(by: Asker): Promise<Heard> }[] {
  return [
    ...resources
      .filter(({ uri }) => variablesOf(uri).length === 0)
      .map(({ uri }) => ({ name: uri, ask: (by: Asker) => by.rpc('resources/read', { uri }, '') })),
    ...[...catalog.values()]
      .filter(({ effect, input }) => effect === 'read' && input.safeParse({}).success)
      .map(({ name }) => ({
        name,
        ask: (by: Asker) => by.rpc('tools/call', { name, arguments: {} }, ''),
      })),
    ...['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'].map((method) => ({
      name: method,
      ask: (by: Asker) => by.rpc(method, {}, ''),
    })),
    ...routes()
      .filter(({ method, path }) => method === 'GET' && !path.includes(':'))
      .map(({ path }) => ({ name: path, ask: (by: Asker) => by.http('GET', path, undefined, '') })),
  ];
}

function ofTool(tool: Parameters<typeof listedInputSchema>[0]): readonly Surface[] {
  const { properties } = listedInputSchema(tool);
  return Object.keys(properties)
    .filter((argument) => !NAMES_NOTHING.has(argument))
    .map((argument) => ({
      name: `${tool.name}.${argument}`,
      kind: kindOf(argument),
      looksUp: !(argument in (tool.ignored ?? {})),
      ask: (by, id, own) => {
        // With others that go with it: some arguments are instead of others.
        const { input: example } = tool.examples.find(({ input }) => argument in input) ?? tool.examples[0];
        const others = Object.entries(example).map(([key, value]) => [
          key,
          as(properties[key], own[key] ?? value),
        ]);
        const input = { ...Object.fromEntries(others), [argument]: as(properties[argument], id) };
        return by.rpc('tools/call', { name: tool.name, arguments: input }, id);
      },
    }));
}

/** Where a list is wanted, a list of it alone. */
function as(schema: unknown, value: unknown): unknown {
  const isList = typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'array';
  return isList && !Array.isArray(value) ? [value] : value;
}

function kindOf(argument: string): string {
  return KIND_OF_ARGUMENT[argument] ?? UNKNOWN_KIND;
}

function ofResource({ uri, complete = {} }: (typeof resources)[number]): readonly Surface[] {
  const naming = variablesOf(uri).filter((variable) => !NAMES_NOTHING.has(variable));
  return naming.flatMap((variable) => {
    const completed = complete[variable];
    const kind = completed ?? kindOf(variable);
    const read: Surface = {
      name: uri,
      kind,
      looksUp: true,
      ask: (by, id) =>
        by.rpc('resources/read', { uri: uri.replace(`{${variable}}`, encodeURIComponent(id)) }, id),
    };
    return completed === undefined
      ? [read]
      : [read, completion(`${uri} completed`, completed, { type: 'ref/resource', uri }, variable)];
  });
}

function ofPrompt({ name, args }: (typeof prompts)[number]): readonly Surface[] {
  const naming = args.filter(({ name: argument }) => !NAMES_NOTHING.has(argument));
  return naming.flatMap(({ name: argument, complete }) => {
    const kind = complete ?? kindOf(argument);
    const got: Surface = {
      name: `prompt ${name}.${argument}`,
      kind,
      // A prompt is text: the id goes in as it came.
      looksUp: false,
      ask: (by, id) => by.rpc('prompts/get', { name, arguments: { [argument]: id } }, id),
    };
    const ref = { type: 'ref/prompt', name };
    return complete === undefined ? [got] : [got, completion(`${got.name} completed`, kind, ref, argument)];
  });
}

function completion(name: string, kind: string, ref: object, argument: string): Surface {
  return {
    name,
    kind,
    looksUp: true,
    ask: (by, id) =>
      by.rpc('completion/complete', { ref, argument: { name: argument, value: id.slice(0, -1) } }, id),
  };
}

function ofRoutes(): readonly Surface[] {
  return routes().flatMap(({ method, path }) => {
    const body = method === 'GET' ? undefined : BODY_OF_ROUTE;
    const inPath = [...path.matchAll(/:(\w+)/g)].map(([, variable = '']): Surface => ({
      name: `${method} ${path}`,
      kind: KIND_OF_ROUTE_VARIABLE[variable] ?? UNKNOWN_KIND,
      looksUp: true,
      ask: (by, id) => by.http(method, path.replace(`:${variable}`, encodeURIComponent(id)), body, id),
    }));
    const inQuery = path === '/v1/audit' ? Object.entries(AUDIT_QUERY) : [];
    return [
      ...inPath,
      ...inQuery.map(([key, kind]): Surface => ({
        name: `${method} ${path}?${key}`,
        kind,
        // Rows about a customer exist once they have called; the filter is no look-up of the customer.
        looksUp: kind === 'call_id',
        ask: (by, id) => by.http(method, `${path}?${key}=${encodeURIComponent(id)}`, body, id),
      })),
    ];
  });
}

type Route = { readonly method: string; readonly path: string };

/** What the routers of `/v1` have. They are only looked at, so nothing stands behind them. */
function routes(): readonly Route[] {
  const nothing = {};
  // The casts: no request ever reaches these.
  const api = nothing as ApiDeps;
  const routers = [approvalsApi(api), auditApi(api, nothing as AuditReader)];
  return routers.flatMap(({ stack }) =>
    stack.flatMap(({ route }) =>
      (route?.stack ?? []).map(({ method }) => ({
        method: method.toUpperCase(),
        path: `/v1${route?.path ?? ''}`,
      })),
    ),
  );
}

function variablesOf(uri: string): readonly string[] {
  return [...uri.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}
