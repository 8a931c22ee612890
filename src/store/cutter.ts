import { createChunker } from './chunker.ts';
import { type ChunkPlace, chunkKey, createDedupIndex, type Place } from './dedup-index.ts';
import type { FrameRef } from './pack-format.ts';

/** A slice of a body, taken apart into what is new and what an earlier frame has. */
export interface Cut {
  readonly own: Buffer;
  readonly refs: readonly FrameRef[];
  /** Once the frame is made: later bodies may refer to it. */
  remember(): void;
}

/** Finds the parts of a body that this run has stored before. */
export interface Cutter {
  /** `position`: where the slice's frame will stand if it gets one. Text is cut into chunks, other bytes are one. */
  cut(bytes: Buffer, text: boolean, position: number): Cut;
}

/** A reference costs about eight bytes and a look-up: shorter repeats are stored again. */
const MIN_REF = 64;
/** A reader follows at most so many references to a byte: what is resent for ever must not get slower to read. */
const MAX_DEPTH = 128;

interface Span {
  readonly start: number;
  end: number;
  /** Where the span was stored before; absent for new bytes. */
  readonly from?: Place;
}

/** Makes a cutter with an empty memory. */
export function createCutter(): Cutter {
  const chunk = createChunker();
  const index = createDedupIndex();

  return {
    cut(bytes, text, position) {
      const chunks: [key: string, place: ChunkPlace][] = [];
      const spans: Span[] = [];
      let start = 0;
      for (const end of text ? chunk(bytes) : [bytes.length]) {
        const key = chunkKey(bytes.subarray(start, end));
        const known = index.find(key);
        const from = known === undefined || known.depth < MAX_DEPTH ? known : { ...known.origin, depth: 0 };
        const here = { frame: position, start };
        const depth = from === undefined ? 0 : from.depth + 1;
        chunks.push([key, { ...here, depth, origin: known?.origin ?? here }]);
        extend(spans, start, end, from);
        start = end;
      }
      const { own, refs } = split(bytes, spans);
      return {
        own,
        refs,
        remember() {
          // The newest place wins: consecutive chunks of a resent history then lie side by side in one frame,
          // and one reference covers them all.
          for (const [key, place] of chunks) index.set(key, place);
        },
      };
    },
  };
}

function extend(spans: Span[], start: number, end: number, from: Span['from']): void {
  const last = spans.at(-1);
  const continues =
    last !== undefined &&
    (from === undefined
      ? last.from === undefined
      : last.from?.frame === from.frame && last.from.start + last.end - last.start === from.start);
  if (continues) last.end = end;
  else spans.push({ start, end, ...(from === undefined ? {} : { from }) });
}

function split(bytes: Buffer, spans: readonly Span[]): { own: Buffer; refs: FrameRef[] } {
  const own: Buffer[] = [];
  const refs: FrameRef[] = [];
  let ownBefore = 0;
  for (const span of spans) {
    const length = span.end - span.start;
    if (span.from === undefined || (length < MIN_REF && spans.length > 1)) {
      own.push(bytes.subarray(span.start, span.end));
      ownBefore += length;
      continue;
    }
    refs.push({ ownBefore, frame: span.from.frame, start: span.from.start, length });
    ownBefore = 0;
  }
  return { own: own.length === 1 ? (own[0] ?? bytes) : Buffer.concat(own), refs };
}
