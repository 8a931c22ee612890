/**
 * LEB128 integers up to 2^53 - 1, as protocol buffers write them
 * (https://protobuf.dev/programming-guides/encoding/#varints). Arithmetic instead of shifts, which stop at 32 bits.
 */

/** Appends one integer to a list of bytes. */
export function putVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

/** A cursor over varints. Throws RangeError where the bytes end too early or a number is too large. */
export interface VarintReader {
  next(): number;
  readonly position: number;
}

/** Reads varints from `bytes`, beginning at `start`. */
export function varintReader(bytes: Buffer, start: number): VarintReader {
  let position = start;
  return {
    next() {
      let value = 0;
      let scale = 1;
      for (;;) {
        const byte = bytes[position];
        if (byte === undefined) throw new RangeError('varint beyond the end');
        position += 1;
        value += (byte & 0x7f) * scale;
        if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('varint too large');
        if (byte < 0x80) return value;
        scale *= 0x80;
      }
    },
    get position() {
      return position;
    },
  };
}
