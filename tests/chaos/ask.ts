import { randomUUID } from 'node:crypto';
import { type RawSession, textOf } from '../gateway/wire.ts';

/** What a tool call came to. */
export type Told = {
  /** The sentence for people. */
  readonly text: string;
  /** The structure for programs; empty for an error. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The code of the refusal or fault. */
  readonly error: string | undefined;
  readonly requestId: string;
  readonly ms: number;
};

export type Asker = {
  /** Never fails but when the connection does. */
  call(tool: string, args: Readonly<Record<string, unknown>>, requestId?: string): Promise<Told>;
};

export function askerOf(session: RawSession): Asker {
  return {
    async call(tool, args, requestId = randomUUID()) {
      const from = Date.now();
      const answer = await session.ask('tools/call', { name: tool, arguments: args }, requestId);
      const facts = answer.result?.['structuredContent'];
      return {
        text: textOf(answer),
        facts: typeof facts === 'object' && facts !== null ? { ...facts } : {},
        error: answer.result?.['isError'] === true ? codeIn(textOf(answer, 1)) : answer.error?.message,
        requestId,
        ms: Date.now() - from,
      };
    },
  };
}

function codeIn(block: string): string {
  const read: unknown = JSON.parse(block);
  const error: unknown =
    typeof read === 'object' && read !== null && 'error' in read ? read.error : undefined;
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : block;
}
