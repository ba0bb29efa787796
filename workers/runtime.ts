import { type Logger as TemporalLogger, type LogLevel, Runtime } from '@temporalio/worker';
import type { Logger } from '../platform/log.ts';

const LEVEL: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug',
  WARN: 'warn',
  ERROR: 'error',
};

/** Temporal's own words, in our log. */
export function temporalLogger(log: Logger): TemporalLogger {
  const say = (level: LogLevel, message: string, meta?: object) => log[LEVEL[level]](meta ?? {}, message);
  return {
    log: say,
    trace: (message, meta) => say('TRACE', message, meta),
    debug: (message, meta) => say('DEBUG', message, meta),
    info: (message, meta) => say('INFO', message, meta),
    warn: (message, meta) => say('WARN', message, meta),
    error: (message, meta) => say('ERROR', message, meta),
  };
}

/**
 * Routes the SDK's log to ours. The runtime is one per process and can be set up once: whoever comes second keeps
 * what is there.
 */
export function setUpRuntime(log: Logger): void {
  try {
    // Signals are the process's business: it drains the gateway before its workers.
    Runtime.install({
      logger: temporalLogger(log),
      shutdownSignals: [],
      // Without forwarding, the native part writes to the terminal past every logger.
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
    });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'IllegalStateError')) throw error;
  }
}
