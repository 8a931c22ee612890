import { MAX_DICTIONARY } from './pack-format.ts';

/** The last bytes of a text that grows: as many as raw deflate can look back at. */
export interface Tail {
  push(bytes: Buffer): void;
  /** The last `length` bytes, or as many as there are. Valid until the next `push`. */
  last(length: number): Buffer;
  clear(): void;
}

/** Makes an empty tail. Bytes are moved only each time that another 32 KiB have come. */
export function createTail(): Tail {
  const store = Buffer.allocUnsafe(2 * MAX_DICTIONARY);
  let end = 0;
  return {
    push(bytes) {
      const fresh = bytes.subarray(Math.max(0, bytes.length - MAX_DICTIONARY));
      if (end + fresh.length > store.length) {
        store.copyWithin(0, Math.max(0, end - MAX_DICTIONARY), end);
        end = Math.min(end, MAX_DICTIONARY);
      }
      fresh.copy(store, end);
      end += fresh.length;
    },
    last: (length) => store.subarray(Math.max(0, end - Math.min(length, MAX_DICTIONARY)), end),
    clear() {
      end = 0;
    },
  };
}
