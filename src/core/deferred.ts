/** A promise with the hands that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: boolean;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Makes a promise that somebody else settles; what settles it first counts. */
export function createDeferred<T>(): Deferred<T> {
  let settled = false;
  let hands: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    hands = { resolve, reject };
  });
  // Whoever does not wait for it must not be told of a failure as an unhandled rejection.
  promise.catch(() => undefined);
  return {
    promise,
    get settled() {
      return settled;
    },
    resolve(value) {
      settled = true;
      hands?.resolve(value);
    },
    reject(error) {
      settled = true;
      hands?.reject(error);
    },
  };
}
