import { createDetector, type DetectorOptions } from '../../detect/detector.ts';
import type { RawSpan } from '../../detect/engine.ts';
import { resolve } from '../../detect/resolve.ts';
import type { Finding } from '../../detect/types.ts';
import { Memory } from './memory.ts';
import type { View } from './view.ts';
import { eachReading } from './views.ts';

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

export interface ScannerOptions extends DetectorOptions {
  /** Keep the last texts, up to 64 Mi units, so that a conversation that is sent again costs only what is new. */
  readonly remember?: boolean;
}

/** Makes a scanner: keep one per thread, it compiles all kinds. */
export function createScanner(options: ScannerOptions = {}): Scanner {
  const detector = createDetector(options);
  const memory = options.remember === true ? new Memory() : undefined;
  const scanAll = (text: string, contentType?: string): Finding[] => {
    const spans: RawSpan[] = [];
    eachReading(text, contentType, (view) => {
      for (const span of resolve(detector.match(view.text))) spans.push(mapped(span, view));
    });
    // of equal spans the one that was decoded further comes first: its value is the same in any encoding
    return resolve(spans.reverse()).map(detector.present);
  };
  return {
    scan(text, { contentType } = {}) {
      const rest = memory?.rest(text, contentType);
      const findings =
        rest === undefined
          ? scanAll(text, contentType)
          : rest.merge(shifted(scanAll(text.slice(rest.start, rest.end)), rest.start));
      memory?.remember(text, contentType, findings);
      return findings;
    },
  };
}

function shifted(findings: readonly Finding[], by: number): Finding[] {
  return findings.map((finding) => ({ ...finding, start: finding.start + by, end: finding.end + by }));
}

function mapped(span: RawSpan, view: View): RawSpan {
  const [start, end] = view.toOriginal(span.start, span.end);
  return { ...span, start, end };
}

/** Scans one text with a scanner of its own; for many texts make one with `createScanner`. */
export function scanText(text: string, options: ScanOptions & DetectorOptions = {}): Finding[] {
  return createScanner(options).scan(text, options);
}
