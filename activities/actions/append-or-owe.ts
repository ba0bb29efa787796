import type { AuditEntry, AuditLog } from '../../domain/audit.ts';
import type { OwedRows, Seals } from '../../domain/seals.ts';

/** A caller waits behind this: longer, and the row is written by a run of its own. */
const PATIENCE_MS = 1_500;

export type Recorder = {
  readonly audit: AuditLog;
  readonly seals: Pick<Seals, 'sealRows'>;
  /** Told why a row could not be written at once. */
  readonly onOwed?: (error: unknown) => void;
};

/** Writes the rows, or answers them sealed when Postgres does not take them in good time. Never throws. */
export async function appendOrOwe(
  { audit, seals, onOwed }: Recorder,
  entries: readonly AuditEntry[],
): Promise<{ readonly owed?: OwedRows }> {
  const { promise: late, cancel } = timeout(PATIENCE_MS);
  const written = audit.append(entries);
  try {
    await Promise.race([written, late]);
    return {};
  } catch (error) {
    // Decided here: the answer leaves, its row follows. Written twice it is one row, by its key.
    written.catch(() => undefined);
    onOwed?.(error);
    return { owed: seals.sealRows(entries) };
  } finally {
    cancel();
  }
}

function timeout(ms: number): { readonly promise: Promise<never>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The record did not answer within ${ms} ms.`)), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
