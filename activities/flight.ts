type Settled<T> = { readonly answer: T } | { readonly error: unknown };

/** What a flight brought its followers: an answer, the leader's error, or nothing in good time. */
type Outcome<T> = Settled<T> | 'late';

/** One load that many callers share. */
export type Flight<T> = {
  /** Settles as the load does, however long that takes. For the caller whose load it is. */
  readonly own: Promise<T>;
  /** For everyone else: never rejects, and is `late` when the load has run for the patience of a follower. */
  readonly shared: Promise<Outcome<T>>;
};

/**
 * Starts `run` as a flight. `run` calls `loading` when its load begins: patience is counted from there.
 * One timer per flight, however many follow it.
 */
export function launch<T>(run: (loading: () => void) => Promise<T>, patienceMs: number): Flight<T> {
  const { promise: shared, resolve } = withResolvers<Outcome<T>>();
  let timer: NodeJS.Timeout | undefined;
  const own = run(() => {
    if (Number.isFinite(patienceMs)) timer = setTimeout(() => resolve('late'), patienceMs);
  });
  void settled(own).then((outcome) => {
    clearTimeout(timer);
    return resolve(outcome);
  });
  return { own, shared };
}

/**
 * Runs work for a key one at a time. Whoever comes while it runs shares the *next* run, never the running one:
 * what they get was asked for after they came. A run slower than the patience no longer holds up the next.
 *
 * `gather` delays a run until all who are about to ask for it have come.
 */
export function createTurns<T>(patienceMs: number, gather?: () => Promise<void>): Turns<T> {
  const slots = new Map<string, { readonly running?: Flight<T>; readonly next?: Flight<T> }>();

  return (key, work) => {
    const slot = slots.get(key);
    if (slot?.next) return { flight: slot.next, isMine: false };
    const flight = launch<T>(async (loading) => {
      // Also without a predecessor: who asks in the same breath comes before the run.
      await slot?.running?.shared;
      await gather?.();
      slots.set(key, { running: flight });
      loading();
      return work();
    }, patienceMs);
    slots.set(key, { ...slot, next: flight });
    void flight.shared.finally(() => {
      const current = slots.get(key);
      if (current?.running === flight && !current.next) slots.delete(key);
    });
    return { flight, isMine: true };
  };
}

export type Joined<T> = { readonly flight: Flight<T>; readonly isMine: boolean };

export type Turns<T> = (key: string, work: () => Promise<T>) => Joined<T>;

/** What a promise came to, as a value. */
export async function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  try {
    return { answer: await promise };
  } catch (error) {
    return { error };
  }
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
