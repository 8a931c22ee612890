import { createDetector, type DetectorOptions } from '../../detect/detector.ts';
import type { RawSpan } from '../../detect/engine.ts';
import { resolve } from '../../detect/resolve.ts';
import type { Finding } from '../../detect/types.ts';
import { identity } from './view.ts';
import { eachView } from './views.ts';

export interface ScanOptions {
  /** As in the header; steers how a body is taken apart (event streams, forms). */
  readonly contentType?: string;
}

export interface Scanner {
  /**
   * Secrets and personal data of a text in all its readings. Offsets are UTF-16 units of `text`; a value that was
   * encoded or split spans from its first to its last piece. In order, without overlaps.
   */
  scan(text: string, options?: ScanOptions): Finding[];
}

/** Makes a scanner: keep one per thread, it compiles all kinds. */
export function createScanner(options: DetectorOptions = {}): Scanner {
  const detector = createDetector(options);
  return {
    scan(text, { contentType } = {}) {
      const spans = detector.match(text);
      eachView(identity(text), contentType, (view) => {
        for (const span of resolve(detector.match(view.text))) spans.push(mapped(span, view));
      });
      return resolve(spans).map(detector.present);
    },
  };
}

function mapped(
  span: RawSpan,
  view: { toOriginal(start: number, end: number): readonly [number, number] },
): RawSpan {
  const [start, end] = view.toOriginal(span.start, span.end);
  return { ...span, start, end };
}

/** Scans one text with a scanner of its own; for many texts make one with `createScanner`. */
export function scanText(text: string, options: ScanOptions & DetectorOptions = {}): Finding[] {
  return createScanner(options).scan(text, options);
}
