import type { Finding } from '../../detect/types.ts';

interface Known {
  readonly text: string;
  readonly contentType: string | undefined;
  readonly findings: readonly Finding[];
}

/** What must be scanned of a text of which the rest is known. */
export interface Rest {
  readonly start: number;
  readonly end: number;
  /** The findings of the whole, given those of `text.slice(start, end)` in the whole's offsets. */
  merge(fresh: readonly Finding[]): Finding[];
}

/** Smaller texts are scanned in less time than it takes to look for them here. */
const MIN_TEXT = 32_768;
const MAX_TEXTS = 8;
const MAX_UNITS = 64 << 20;
/** Longer than any secret with its surroundings: findings this far from a change do not depend on it. */
const MARGIN = 16_384;

/**
 * The texts scanned last. Agents send their whole history again with each turn, so that all but a middle part of
 * a body is known; only that part, with a margin, is scanned again.
 */
export class Memory {
  private known: Known[] = [];

  remember(text: string, contentType: string | undefined, findings: readonly Finding[]): void {
    if (text.length < MIN_TEXT || isStream(text, contentType)) return;
    // a longer turn of the same conversation takes the place of the one before
    const others = this.known.filter((known) => commonPrefix(known.text, text) < known.text.length / 2);
    this.known = [{ text, contentType, findings }, ...others].slice(0, MAX_TEXTS);
    while (this.known.length > 1 && this.units() > MAX_UNITS) this.known.pop();
  }

  /** What is left to scan, or undefined where nothing known is like this text. */
  rest(text: string, contentType: string | undefined): Rest | undefined {
    if (text.length < MIN_TEXT || isStream(text, contentType)) return undefined;
    let best: { known: Known; prefix: number } | undefined;
    for (const known of this.known) {
      if (known.contentType !== contentType) continue;
      const prefix = commonPrefix(known.text, text);
      if (prefix > (best?.prefix ?? MIN_TEXT / 2)) best = { known, prefix };
    }
    return best === undefined ? undefined : restOf(best.known, text, best.prefix);
  }

  private units(): number {
    return this.known.reduce((sum, { text }) => sum + text.length, 0);
  }
}

function restOf(known: Known, text: string, prefix: number): Rest {
  const suffix = commonSuffix(known.text, text, prefix);
  const start = boundary(text, prefix - MARGIN);
  const tail = text.length - suffix;
  const shift = text.length - known.text.length;
  const [from, to] = [prefix - MARGIN / 2, tail + MARGIN / 2];
  return {
    start,
    end: Math.min(text.length, tail + MARGIN),
    merge: (fresh) => [
      ...known.findings.filter((finding) => finding.start < from),
      ...fresh.filter((finding) => finding.start >= from && finding.start < to),
      ...known.findings
        .filter((finding) => finding.start + shift >= Math.max(from, to))
        .map((finding) => ({ ...finding, start: finding.start + shift, end: finding.end + shift })),
    ],
  };
}

/** Events only make sense together: a stream is read whole. */
function isStream(text: string, contentType: string | undefined): boolean {
  return (
    /event-stream|ndjson|jsonl|json-seq/i.test(contentType ?? '') ||
    /^\s{0,8}(?:data|event|id|retry):/.test(text.slice(0, 64))
  );
}

/** A space at or before a place, so that a cut is not inside a token or an escape. */
function boundary(text: string, near: number): number {
  const space = text.lastIndexOf(' ', near);
  return Math.max(0, space < near - MARGIN ? near : space);
}

/** Compared in halves by the engine's own memory comparison, which is faster than any loop here. */
function commonPrefix(a: string, b: string): number {
  return longest(Math.min(a.length, b.length), (from, to) => a.slice(from, to) === b.slice(from, to));
}

function commonSuffix(a: string, b: string, prefix: number): number {
  const max = Math.min(a.length, b.length) - prefix;
  return longest(
    max,
    (from, to) => a.slice(a.length - to, a.length - from) === b.slice(b.length - to, b.length - from),
  );
}

/** The greatest n with `same(0, n)`: steps double until one fails, then halve; each unit is compared about twice. */
function longest(max: number, same: (from: number, to: number) => boolean): number {
  let at = 0;
  let step = 4096;
  let failed = false;
  while (at < max && step >= 1) {
    const to = Math.min(max, at + step);
    const ok = same(at, to);
    if (ok) at = to;
    failed ||= !ok;
    step = failed ? Math.floor(Math.min(step, to - (ok ? to - step : at)) / 2) : step * 2;
  }
  return at;
}
