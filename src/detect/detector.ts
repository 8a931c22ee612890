import { createEngine, type RawSpan } from './engine.ts';
import { KINDS } from './kinds.ts';
import { mask } from './mask.ts';
import { resolve } from './resolve.ts';
import type { Finding } from './types.ts';

export interface DetectorOptions {
  /** Names a value without giving it away, e.g. an HMAC; called once per finding with the value itself. */
  readonly fingerprint?: (value: string) => string;
}

/** The detectors over one text. Not reentrant, so one per thread; cheap to keep, about 10 ms to make. */
export interface Detector {
  /** Findings of a plain text, in order and without overlaps. Views of encoded text: src/analysis/decode. */
  detect(text: string): Finding[];
  /** All matches, unresolved, with their values: for callers that merge several views of a text. */
  match(text: string): RawSpan[];
  /** The form of a match that may be stored. */
  present(span: RawSpan): Finding;
}

/** Makes a detector of every kind in `KINDS`. */
export function createDetector(options: DetectorOptions = {}): Detector {
  const engine = createEngine(KINDS);
  const present = (span: RawSpan): Finding => ({
    class: span.class,
    kind: span.kind,
    start: span.start,
    end: span.end,
    masked: mask(span.value, span.show),
    ...(options.fingerprint === undefined ? {} : { fingerprint: options.fingerprint(span.value) }),
  });
  return {
    detect: (text) => resolve(engine.match(text)).map(present),
    match: (text) => engine.match(text),
    present,
  };
}
