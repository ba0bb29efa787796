import type { ToolSpec } from './define.ts';

/** What a client sent, sorted: the tool's own arguments, and those that are the platform's. */
export type SortedArguments = {
  /** For the tool's own schema; aliases resolved. Not validated yet. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Never used to look anything up: compared with the caller for the audit, then forgotten. */
  readonly userId?: unknown;
  readonly idempotencyKey?: string;
  /** What is wrong with them, in words for the caller; empty when nothing is. */
  readonly problems: readonly string[];
};

/** 1 to 128 printable ASCII characters. */
const IDEMPOTENCY_KEY = /^[\x20-\x7E]{1,128}$/;

/**
 * Takes `user_id` out of every call and `idempotency_key` out of calls of actions, and gives aliases their
 * proper names. An alias beside a different value of the same argument is a problem, not a choice.
 */
export function sortArguments(tool: ToolSpec, sent: Readonly<Record<string, unknown>>): SortedArguments {
  const { user_id: userId, ...rest } = sent;
  const { key, own } = tool.effect === 'action' ? withoutKey(rest) : { key: undefined, own: rest };
  const { input, problems } = withoutAliases(tool.aliases ?? {}, own);
  const keyIsGood = typeof key === 'string' && IDEMPOTENCY_KEY.test(key);
  if (key !== undefined && !keyIsGood)
    problems.push('idempotency_key: 1 to 128 printable ASCII characters are needed.');
  return {
    input,
    ...(userId === undefined ? {} : { userId }),
    ...(keyIsGood ? { idempotencyKey: key } : {}),
    problems,
  };
}

function withoutKey({ idempotency_key: key, ...own }: Readonly<Record<string, unknown>>) {
  return { key, own };
}

function withoutAliases(aliases: Readonly<Record<string, string>>, sent: Readonly<Record<string, unknown>>) {
  const input: Record<string, unknown> = { ...sent };
  const problems: string[] = [];
  for (const [alias, name] of Object.entries(aliases)) {
    if (!Object.hasOwn(input, alias)) continue;
    if (Object.hasOwn(input, name) && input[name] !== input[alias])
      problems.push(`${alias}: is another name of ${name}; they differ.`);
    else input[name] = input[alias];
    delete input[alias];
  }
  return { input, problems };
}
