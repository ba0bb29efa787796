import type { Profile } from '../platform/config.ts';

/** Resolves when the dependency answers; rejects or hangs when it does not. */
export type Check = () => Promise<unknown>;

export type HealthDeps = {
  readonly checks: Readonly<Record<string, Check>>;
  readonly profile: Profile;
  readonly namespace: string;
  /** The built-in issuer is believed. */
  readonly development: boolean;
  /** What everybody who asks must know about how callers are let in. */
  readonly warning: string | undefined;
  readonly isDraining: () => boolean;
};

type DependencyHealth = { readonly status: 'ok' | 'down'; readonly latency_ms: number };

export type Health = {
  readonly status: 'ok' | 'degraded' | 'draining';
  readonly profile: Profile;
  readonly namespace: string;
  readonly assurance: 'development' | 'verified';
  readonly note?: string;
  readonly warning?: string;
  readonly dependencies: Readonly<Record<string, DependencyHealth>>;
  readonly as_of: string;
};

const TIMEOUT_MS = 1500;
/** Anybody may ask, so the dependencies are asked at most once in this time. */
const KEEP_MS = 1000;

const DEVELOPMENT_NOTE =
  'Identities come from the built-in development issuer: whoever can read this machine can be anybody. ' +
  'Decisions made here are recorded with assurance development.';

export function healthReporter(deps: HealthDeps): () => Promise<Health> {
  let last: Promise<Readonly<Record<string, DependencyHealth>>> | undefined;
  let lastAt = 0;
  return async () => {
    if (last === undefined || Date.now() - lastAt > KEEP_MS) {
      last = ask(deps.checks);
      lastAt = Date.now();
    }
    const dependencies = await last;
    const isWell = Object.values(dependencies).every(({ status }) => status === 'ok');
    return {
      status: deps.isDraining() ? 'draining' : isWell ? 'ok' : 'degraded',
      profile: deps.profile,
      namespace: deps.namespace,
      assurance: deps.development ? 'development' : 'verified',
      ...(deps.development ? { note: DEVELOPMENT_NOTE } : {}),
      ...(deps.warning === undefined ? {} : { warning: deps.warning }),
      dependencies,
      as_of: new Date().toISOString(),
    };
  };
}

async function ask(checks: Readonly<Record<string, Check>>) {
  const named = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await time(check)] as const),
  );
  return Object.fromEntries(named);
}

async function time(check: Check): Promise<DependencyHealth> {
  const from = performance.now();
  const status = await within(check);
  return { status, latency_ms: Math.round(performance.now() - from) };
}

function within(check: Check): Promise<'ok' | 'down'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('down'), TIMEOUT_MS);
    check()
      .then(
        () => resolve('ok'),
        () => resolve('down'),
      )
      .finally(() => clearTimeout(timer));
  });
}
