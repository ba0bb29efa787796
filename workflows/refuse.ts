import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { isRefusalCode, type RefusalCode } from '../domain/refusal.ts';

export type Refused = { readonly code: RefusalCode; readonly message: string };

/** The refusal that an activity ended with, or undefined when it was a fault. */
export function refusedBy(error: unknown): Refused | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || typeof cause.type !== 'string') return undefined;
  return isRefusalCode(cause.type) ? { code: cause.type, message: cause.message } : undefined;
}
