/** Where one part of a process waits for what another part of it makes, by name. */
export type Rendezvous<T> = {
  /** Waits for the first value given under `key`. Call `forget` when it is not waited for any more. */
  readonly expect: (key: string) => { readonly value: Promise<T>; readonly forget: () => void };
  /** Hands the value to whoever waits for it. Without anybody, nothing is kept. */
  readonly give: (key: string, value: T) => void;
};

export function createRendezvous<T>(): Rendezvous<T> {
  const waiting = new Map<string, (value: T) => void>();
  return {
    expect(key) {
      let resolve: (value: T) => void = () => undefined;
      const value = new Promise<T>((settle) => {
        resolve = settle;
      });
      waiting.set(key, resolve);
      return {
        value,
        forget: () => {
          // A later waiter under the same key keeps its place.
          if (waiting.get(key) === resolve) waiting.delete(key);
        },
      };
    },
    give(key, value) {
      waiting.get(key)?.(value);
    },
  };
}
