import { hash } from 'node:crypto';

/** A place within the content of a frame. */
export interface Place {
  readonly frame: number;
  readonly start: number;
}

/** Where a chunk was last seen, and where its bytes are. */
export interface ChunkPlace extends Place {
  /** How many references lead from here to the bytes; 0 where they are the frame's own. */
  readonly depth: number;
  /** Where they are the frame's own. */
  readonly origin: Place;
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

/** Makes an index of at most `limit` chunks. 2^17 chunks are about 128 MiB of text and 30 MiB of memory. */
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
