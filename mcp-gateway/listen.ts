import { type Server as HttpServer, createServer } from 'node:http';
import type { AuditReader } from '../domain/audit.ts';
import type { Settings } from '../platform/config.ts';
import type { Core } from './gateway-core.ts';
import { authenticationBypass } from './bypass.ts';
import { type Check, type HealthDeps, healthReporter } from './health.ts';
import { type HttpDeps, httpApp } from './http.ts';
import type { Verifier } from './identity.ts';
import type { Metrics } from './metrics.ts';
import type { Host } from './serving.ts';
import type { SessionTable } from './sessions.ts';
import type { WebRules } from './web-guard.ts';

export type ListenDeps = {
  readonly settings: Pick<Settings, 'profile' | 'host' | 'ports' | 'web' | 'identity' | 'temporal'>;
  readonly core: Core;
  readonly sessions: SessionTable;
  readonly verifier: Verifier;
  readonly auditReader: AuditReader;
  readonly checks: Readonly<Record<string, Check>>;
  readonly policies?: HealthDeps['policies'];
  readonly metrics: Metrics;
  readonly payments?: HttpDeps['payments'];
  readonly inbox?: HttpDeps['inbox'];
  readonly carriers?: HttpDeps['carriers'];
  readonly host?: Host | undefined;
  readonly version?: string;
  readonly pageSize?: number;
};

export type Listening = {
  readonly url: string;
  /** Takes nothing new, lets what is under way finish within the drain time, then closes. A repeat waits for the first. */
  stop(): Promise<void>;
};

const VERSION = '0.1.0';
/** Larger than the catalog, so that clients that do not follow cursors see all of it. */
const PAGE_SIZE = 100;

/** @throws {Error} EADDRINUSE, naming the port and the variable that moves it. */
export async function listen(deps: ListenDeps): Promise<Listening> {
  const { settings, sessions } = deps;
  let draining = false;
  const bypass = authenticationBypass(settings.identity);
  if (bypass !== undefined) deps.core.log.warn(bypass.warning);
  const bound = { port: settings.ports.gateway };
  const health = healthReporter({
    checks: deps.checks,
    ...(deps.policies === undefined ? {} : { policies: deps.policies }),
    profile: settings.profile,
    namespace: settings.temporal.namespace,
    development: settings.identity.development,
    warning: bypass?.warning,
    isDraining: () => draining,
  });
  const app = httpApp({
    ...deps,
    audiences: settings.identity.audiences,
    bypass,
    health,
    rules: () => rulesFor(settings.web, bound.port),
    isDraining: () => draining,
    version: deps.version ?? VERSION,
    pageSize: deps.pageSize ?? PAGE_SIZE,
  });
  const server = createServer(app);
  bound.port = await bind(server, settings.host, settings.ports.gateway);
  const requests = inFlight(server);
  const sweeper = setInterval(() => void sessions.sweep(), 10_000);
  sweeper.unref();

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    draining = true;
    clearInterval(sweeper);
    server.close();
    await requests.drained(settings.web.drainSeconds * 1000);
    await sessions.closeAll();
    server.closeAllConnections();
  }
  return { url: `http://${urlHost(settings.host)}:${bound.port}`, stop: () => (stopping ??= stop()) };
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
}

/** Defaults name port 0 while any free port is asked for; the bound one takes its place. */
function rulesFor(
  { allowedHosts, allowedOrigins, trustedProxies, authoriserHeader }: Settings['web'],
  port: number,
): WebRules {
  const named = (entry: string) => entry.replace(/:0$/, `:${port}`);
  return {
    allowedHosts: allowedHosts.map(named),
    allowedOrigins: allowedOrigins.map(named),
    trustedProxies,
    authoriserHeader,
  };
}

function bind(server: HttpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(error, host, port)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function portProblem(error: Error, host: string, port: number): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new Error(`Port ${port} on ${host} is taken. Stop what uses it, or choose another: PORT=<port>.`, {
    cause: error,
  });
}

/** Counts requests that still owe an answer. Open event streams (GET) owe none: they end with their session. */
function inFlight(server: HttpServer) {
  let open = 0;
  let idle: (() => void) | undefined;
  server.on('request', (request, response) => {
    if (request.method === 'GET' && request.headers.accept?.includes('text/event-stream') === true) return;
    open += 1;
    response.once('close', () => {
      open -= 1;
      if (open === 0) idle?.();
    });
  });
  return {
    drained(withinMs: number): Promise<void> {
      if (open === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
