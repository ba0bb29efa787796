import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { SERVERS } from '../catalog/define.ts';
import type { AuditReader } from '../domain/audit.ts';
import type { OrderInbox } from '../domain/order-events.ts';
import { Refusal } from '../domain/refusal.ts';
import { approvalsApi } from './approvals-api.ts';
import { auditApi } from './audit-api.ts';
import { type Authenticate, authenticator } from './authenticate.ts';
import type { Core } from './gateway-core.ts';
import type { Health } from './health.ts';
import type { Bypass } from './bypass.ts';
import { type CarrierHookDeps, carrierHooks } from './carrier-hooks.ts';
import { checkoutApi } from './checkout-api.ts';
import { bodyProblem, requestIdOf, sendError, sendFault, sendRefusal, sendRpcError } from './http-errors.ts';
import type { Verifier } from './identity.ts';
import { mcpHttp } from './mcp-http.ts';
import type { Metrics } from './metrics.ts';
import { ordersApi } from './orders-api.ts';
import { type PaymentHookDeps, paymentHooks } from './payment-hooks.ts';
import type { Host } from './serving.ts';
import type { Sessions } from './sessions.ts';
import { type WebRules, rebindingProblem, tokenSource } from './web-guard.ts';

export type HttpDeps = {
  readonly core: Core;
  readonly verifier: Verifier;
  readonly audiences: { readonly mcp: string; readonly api: string };
  readonly auditReader: AuditReader;
  readonly sessions: Sessions;
  readonly health: () => Promise<Health>;
  readonly metrics: Metrics;
  /** Read at each request: the port is known only once the socket is bound. */
  readonly rules: () => WebRules;
  readonly isDraining: () => boolean;
  readonly version: string;
  readonly pageSize: number;
  /** Where the warehouse tells what it did; absent where nobody keeps it. */
  readonly inbox?: OrderInbox | undefined;
  /** What card processors call; absent where nobody does. */
  readonly payments?: Omit<PaymentHookDeps, 'record'> | undefined;
  /** What carriers call; absent where nobody does. */
  readonly carriers?: Omit<CarrierHookDeps, 'record'> | undefined;
  readonly host?: Host | undefined;
  readonly bypass?: Bypass | undefined;
};

const LARGEST_BODY = '1mb';
const CONSOLE = fileURLToPath(new URL('../console', import.meta.url));

/** Everything the gateway answers over HTTP. */
export function httpApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(admission(deps));
  app.use(counted(deps.metrics));

  app.get('/health', async (_request, response) => {
    const health = await deps.health();
    response.status(health.status === 'draining' ? 503 : 200).json(health);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(deps.metrics.contentType).send(await deps.metrics.text());
  });

  const json = express.json({ limit: LARGEST_BODY });
  const forMcp = identified(deps, 'mcp');
  for (const server of [undefined, ...SERVERS]) {
    const path = server === undefined ? '/mcp' : `/mcp/${server}`;
    app.all(path, json, mcpHttp({ ...deps, authenticate: forMcp }, server));
  }

  const api = { core: deps.core, authenticate: identified(deps, 'api') };
  app.use('/v1', json, approvalsApi(api), auditApi(api, deps.auditReader), checkoutApi(api));
  if (deps.inbox !== undefined) app.use('/v1', json, ordersApi({ ...api, inbox: deps.inbox }));
  if (deps.payments !== undefined)
    app.use('/webhooks', paymentHooks({ ...deps.payments, record: deps.core.record }));
  if (deps.carriers !== undefined)
    app.use('/webhooks', carrierHooks({ ...deps.carriers, record: deps.core.record }));
  app.use(express.static(CONSOLE, { index: 'index.html', redirect: false }));

  app.use((_request, response) =>
    sendError(response, 404, { code: 'not_found', message: 'There is nothing here.' }),
  );
  app.use(failures(deps));
  return app;
}

function identified(
  { core, verifier, audiences, rules, bypass }: HttpDeps,
  side: 'mcp' | 'api',
): Authenticate {
  const tokenOf = tokenSource(rules());
  const transport = side === 'mcp' ? 'http' : 'api';
  const { record } = core;
  return authenticator({ verifier, tokenOf, record, audience: audiences[side], transport, bypass });
}

/** Who may come in at all. A request id goes out with every answer, so that people can name it to operators. */
function admission({ rules, isDraining }: HttpDeps) {
  return (request: Request, response: Response, next: NextFunction): void => {
    response.locals['requestId'] = randomUUID();
    response.set('X-Request-Id', requestIdOf(response));
    response.set('Cache-Control', 'no-store');
    const problem = rebindingProblem(request, rules());
    if (problem !== undefined) return sendError(response, 403, { code: 'forbidden', message: problem });
    if (isDraining() && request.path !== '/health') {
      response.set('Connection', 'close').set('Retry-After', '5');
      return sendError(response, 503, {
        code: 'unavailable',
        message: 'This gateway is stopping; try again.',
      });
    }
    next();
  };
}

function counted(metrics: Metrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    response.once('finish', () => {
      const [, first = ''] = request.path.split('/');
      const known = ['mcp', 'v1', 'webhooks', 'health', 'metrics'].includes(first) ? `/${first}` : '/';
      metrics.request(known, response.statusCode);
    });
    next();
  };
}

/** The last handler: four parameters are how express knows it. */
function failures({ core }: HttpDeps) {
  return (error: unknown, request: Request, response: Response, _next: NextFunction): void => {
    if (error instanceof Refusal) return sendRefusal(response, error);
    const body = bodyProblem(error);
    if (body !== undefined) return sendBodyProblem(request, response, body);
    core.log.error({ err: error, requestId: requestIdOf(response) }, 'request failed');
    sendFault(response);
  };
}

function sendBodyProblem(
  request: Request,
  response: Response,
  { status, type }: { readonly status: number; readonly type: string },
): void {
  if (type === 'entity.too.large') {
    return sendError(response, 413, {
      code: 'too_large',
      message: `A body may have at most ${LARGEST_BODY}.`,
    });
  }
  if (type === 'entity.parse.failed' && request.path.startsWith('/mcp')) {
    return sendRpcError(response, 400, -32700, 'Parse error: the body is not JSON');
  }
  sendError(response, status, { code: 'invalid_body', message: 'The body is not the JSON it should be.' });
}
