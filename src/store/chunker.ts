/**
 * Content-defined chunking with a gear hash: boundaries depend on the bytes around them and on nothing else, so
 * text that was resent after an insertion falls into the same chunks again.
 * Method: Xia et al., "FastCDC" (USENIX ATC 2016), without its normalisation.
 */
const MIN_CHUNK = 256;
const MAX_CHUNK = 4096;
/** Ten bits of the hash: a boundary each 1 KiB on average after the minimum. */
const BOUNDARY_SHIFT = 22;

/** Cuts bytes into chunks. Reusable; holds no state between calls. */
export type Chunker = (bytes: Buffer) => number[];

/** Makes a chunker that gives the end of every chunk; the last is always the length of the input. */
export function createChunker(): Chunker {
  const gear = gearTable();
  return (bytes) => {
    const ends: number[] = [];
    const length = bytes.length;
    let start = 0;
    while (start < length) {
      start = chunkEnd(gear, bytes, start, Math.min(start + MAX_CHUNK, length));
      ends.push(start);
    }
    return ends;
  };
}

function chunkEnd(gear: Uint32Array, bytes: Buffer, start: number, limit: number): number {
  let hash = 0;
  // The hash remembers 32 bytes: begin that far before the first place where a chunk may end.
  for (let at = start + MIN_CHUNK - 32; at < limit; at += 1) {
    hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0;
    if (hash >>> BOUNDARY_SHIFT === 0 && at >= start + MIN_CHUNK) return at + 1;
  }
  return limit;
}

/** 256 fixed numbers without pattern (xorshift32): part of no format, so they may change with any version. */
function gearTable(): Uint32Array {
  const table = new Uint32Array(256);
  let state = 0x9e3779b9;
  for (let index = 0; index < table.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    table[index] = state;
  }
  return table;
}
