/** What is to be undone, newest first, when a process ends in good order. */
export type Supervisor = {
  /** Registers what ends something that was started. While the process is ending it is run at once. */
  onStop(what: string, stop: () => Promise<void>): Promise<void>;
  /** Throws `Stopped` once the end has begun: the next step of a start must not begin. */
  check(): void;
  /** Resolves with the reason when the end was asked for, by a signal or by `ask`. */
  readonly asked: Promise<string>;
  ask(reason: string): void;
  /** Runs everything registered, newest first, each to its end even if another failed. A repeat waits for the first. */
  end(): Promise<readonly Error[]>;
};

/** The start was interrupted. Not an error: somebody asked for it. */
export class Stopped extends Error {
  constructor() {
    super('stopped before it was ready');
    this.name = 'Stopped';
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Watches for the signals that ask a process to end. The second one of the same kind ends it on the spot: what it
 * has started is then left to the next start, which takes it over.
 */
export function supervise(say: (line: string) => void): Supervisor {
  const stops: { readonly what: string; readonly stop: () => Promise<void> }[] = [];
  let asking: string | undefined;
  let ending: Promise<readonly Error[]> | undefined;
  let resolveAsked: (reason: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => {
    resolveAsked = resolve;
  });
  const ask = (reason: string) => {
    asking ??= reason;
    resolveAsked(reason);
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (asking === signal && ending !== undefined) {
        say('Ending at once; the next start tidies up.');
        process.exit(1);
      }
      ask(signal);
    });
  }
  return {
    asked,
    ask,
    onStop: async (what, stop) => {
      if (ending === undefined) stops.push({ what, stop });
      else await stop();
    },
    check: () => {
      if (asking !== undefined) throw new Stopped();
    },
    end: () => {
      ending ??= runAll(stops, say);
      return ending;
    },
  };
}

async function runAll(
  stops: { readonly what: string; readonly stop: () => Promise<void> }[],
  say: (line: string) => void,
): Promise<readonly Error[]> {
  const problems: Error[] = [];
  for (const { what, stop } of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      // The rest must still be ended; the caller reports it.
      const problem = error instanceof Error ? error : new Error(String(error));
      say(`Stopping ${what} failed: ${problem.message}`);
      problems.push(problem);
    }
  }
  return problems;
}
