import type { PolicyHealth } from '../domain/policy-registry.ts';
import type { Profile } from '../platform/config.ts';

/** Resolves when the dependency answers; rejects or hangs when it does not. */
export type Check = () => Promise<unknown>;

export type HealthDeps = {
  readonly checks: Readonly<Record<string, Check>>;
  readonly policies?: () => Promise<PolicyHealth>;
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
  /** Left out while the database does not say. */
  readonly policies?: PolicyHealth;
  readonly as_of: string;
};

const TIMEOUT_MS = 1500;
/** Anybody may ask, so the dependencies are asked at most once in this time. */
const KEEP_MS = 1000;

const DEVELOPMENT_NOTE =
  'Identities come from the built-in development issuer: whoever can read this machine can be anybody. ' +
  'Decisions made here are recorded with assurance development.';

export function healthReporter(deps: HealthDeps): () => Promise<Health> {
  let last: ReturnType<typeof askAll> | undefined;
  let lastAt = 0;
  return async () => {
    if (last === undefined || Date.now() - lastAt > KEEP_MS) {
      last = askAll(deps);
      lastAt = Date.now();
    }
    const { dependencies, policies } = await last;
    const isWell =
      Object.values(dependencies).every(({ status }) => status === 'ok') && policies?.status !== 'stale';
    return {
      status: deps.isDraining() ? 'draining' : isWell ? 'ok' : 'degraded',
      profile: deps.profile,
      namespace: deps.namespace,
      assurance: deps.development ? 'development' : 'verified',
      ...(deps.development ? { note: DEVELOPMENT_NOTE } : {}),
      ...(deps.warning === undefined ? {} : { warning: deps.warning }),
      dependencies,
      ...(policies === undefined ? {} : { policies }),
      as_of: new Date().toISOString(),
    };
  };
}

async function askAll({ checks, policies }: HealthDeps) {
  const [dependencies, known] = await Promise.all([ask(checks), policies && told(policies)]);
  return { dependencies, policies: known };
}

/** Undefined when it is not told in time. */
async function told<T>(tell: () => Promise<T>): Promise<T | undefined> {
  let answer: T | undefined;
  await within(async () => {
    answer = await tell();
  });
  return answer;
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
