import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { Refusal } from '../domain/refusal.ts';
import type { Logger } from '../platform/log.ts';

/** Turns refusals into failures that nobody retries, and tells operators about faults. */
export function refusalInterceptor(log: Logger): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (error instanceof Refusal) throw failureOf(error);
        log.error({ err: error }, 'an activity failed');
        throw withoutValues(error);
      }
    },
  };
}

function failureOf({ code, message, facts }: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [facts] });
}

/** What a database says of an error may repeat a value of the statement, and a failure is kept in Temporal. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (!/^[0-9A-Z]{5}$/.test(error.code)) return error;
  return ApplicationFailure.create({
    type: 'DatabaseError',
    message: `The database answered with SQLSTATE ${error.code}.`,
    nonRetryable: false,
  });
}
