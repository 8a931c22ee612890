import { hash } from 'node:crypto';

/** Where a chunk's bytes were last stored: a frame, and the place within its content. */
export interface ChunkPlace {
  readonly frame: number;
  readonly start: number;
}

/** The chunks of this run that a later body may refer to. Bounded: the least recently used are forgotten first. */
export interface DedupIndex {
  find(key: string): ChunkPlace | undefined;
  set(key: string, place: ChunkPlace): void;
}

/** The key of a chunk: its whole SHA-256, because equal keys are taken for equal bytes. */
export function chunkKey(bytes: Buffer): string {
  return hash('sha256', bytes, 'binary');
}

/** Makes an index of at most `limit` chunks. 2^17 chunks are about 128 MiB of text and 20 MiB of memory. */
export function createDedupIndex(limit = 1 << 17): DedupIndex {
  const places = new Map<string, ChunkPlace>();
  return {
    find: (key) => places.get(key),
    set(key, place) {
      // A map keeps the order of insertion: what was set last is forgotten last.
      places.delete(key);
      places.set(key, place);
      if (places.size <= limit) return;
      const oldest = places.keys().next();
      if (!oldest.done) places.delete(oldest.value);
    },
  };
}
