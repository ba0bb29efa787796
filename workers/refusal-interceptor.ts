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
        throw error;
      }
    },
  };
}

function failureOf({ code, message, facts }: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [facts] });
}
