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

/** Makes an index of at most `limit` chunks. 2^17 chunks are about 128 MiB of text and 17 MB of memory. */
export function createDedupIndex(limit = 1 << 17): DedupIndex {
  const slots = new Map<string, number>();
  // Columns instead of objects, each of which takes 320 bytes: this is most of what a long run keeps in memory.
  const frames = new Float64Array(limit);
  const starts = new Uint32Array(limit);
  const depths = new Uint8Array(limit);
  const originFrames = new Float64Array(limit);
  const originStarts = new Uint32Array(limit);

  /** A map keeps the order of insertion: what was set last is forgotten last. */
  function slotFor(key: string): number {
    const known = slots.get(key);
    const [oldest] = known === undefined && slots.size >= limit ? slots : [];
    const slot = known ?? oldest?.[1] ?? slots.size;
    slots.delete(oldest?.[0] ?? key);
    slots.set(key, slot);
    return slot;
  }

  return {
    find(key) {
      const slot = slots.get(key);
      if (slot === undefined) return undefined;
      const [frame = 0, start = 0, depth = 0] = [frames[slot], starts[slot], depths[slot]];
      const origin = { frame: originFrames[slot] ?? 0, start: originStarts[slot] ?? 0 };
      return { frame, start, depth, origin };
    },
    set(key, { frame, start, depth, origin }) {
      const slot = slotFor(key);
      frames[slot] = frame;
      starts[slot] = start;
      depths[slot] = depth;
      originFrames[slot] = origin.frame;
      originStarts[slot] = origin.start;
    },
  };
}
