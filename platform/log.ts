import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

export type { Logger };

/** Where a token, a key or a statement's values could hide in what somebody hands to the log. */
const SECRET = [
  'authorization',
  'cookie',
  'token',
  'access_token',
  'password',
  'secret',
  'clientSecret',
  'seal',
  'parameters',
  'params',
  'values',
  'connectionString',
];
const REDACT = ['ballot.code', ...SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])];

export type LogTarget = { readonly level: string; readonly file?: string };

/** JSON lines on stderr, or in a file that is cut at 10 MB with four older ones kept. stdout belongs to protocols. */
export function createLog({ level, file }: LogTarget): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: REDACT, censor: '[hidden]' },
      serializers: { err: describeError },
    },
    file === undefined ? pino.destination({ dest: 2, sync: true }) : rotatingFile(file, 10 * 1024 * 1024, 4),
  );
}

/**
 * What an operator needs of an error. Nothing a database driver hangs on it: `detail`, `where`, `internalQuery`
 * and `parameters` repeat rows and values.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'something other than an error was thrown' };
  return {
    type: error.name,
    message: withoutSecrets(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    stack: withoutSecrets(error.stack ?? ''),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}

/** Tokens and passwords that libraries put into their messages. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]')
    .replaceAll(/\bBearer\s+\S+/gi, 'Bearer [token]')
    .replaceAll(/(\w+:\/\/[^\s:/@]*):[^\s@]+@/g, '$1:[hidden]@');
}

/** Appends, and renames `x.log` → `x.log.1` → … when full. */
export function rotatingFile(path: string, maxBytes: number, keep: number): Writable {
  let size = sizeOf(path);
  let out: WriteStream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  const rotate = () => {
    out.end();
    for (let age = keep - 1; age >= 0; age -= 1)
      moveIfThere(age === 0 ? path : `${path}.${age}`, `${path}.${age + 1}`);
    out = createWriteStream(path, { flags: 'a', mode: 0o600 });
    size = 0;
  };
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (size > 0 && size + chunk.length > maxBytes) rotate();
      size += chunk.length;
      out.write(chunk, done);
    },
    final(done) {
      out.end(done);
    },
  });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function moveIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}
