/** A cache bounded by the size of what it holds; the least recently used goes first. */
export interface ByteCache<Value> {
  get(key: number): Value | undefined;
  set(key: number, value: Value): void;
}

/** Makes an empty cache of at most `limit` bytes, by what `sizeOf` says of a value. */
export function createByteCache<Value>(limit: number, sizeOf: (value: Value) => number): ByteCache<Value> {
  const values = new Map<number, Value>();
  let bytes = 0;
  return {
    get(key) {
      const value = values.get(key);
      if (value === undefined) return undefined;
      values.delete(key);
      values.set(key, value);
      return value;
    },
    set(key, value) {
      const before = values.get(key);
      if (before !== undefined) bytes -= sizeOf(before);
      values.delete(key);
      values.set(key, value);
      bytes += sizeOf(value);
      for (const [oldest, dropped] of values) {
        if (bytes <= limit || oldest === key) break;
        values.delete(oldest);
        bytes -= sizeOf(dropped);
      }
    },
  };
}
