import type { FindingClass } from './types.ts';

interface Ranked {
  readonly class: FindingClass;
  readonly start: number;
  readonly end: number;
  readonly rank: number;
}

/**
 * Of overlapping spans one stays: secrets before personal data (the digits of a key are no phone number), exact
 * formats before guesses, longer before shorter, earlier in the list before later. The result is in text order.
 */
export function resolve<T extends Ranked>(spans: readonly T[]): T[] {
  if (spans.length < 2) return [...spans];
  const preferred = [...spans].sort(
    (a, b) => classOrder(a) - classOrder(b) || a.rank - b.rank || b.end - b.start - (a.end - a.start),
  );
  const kept = new Intervals();
  const out = preferred.filter((span) => kept.add(span.start, span.end));
  return out.sort((a, b) => a.start - b.start);
}

function classOrder(span: Ranked): number {
  return span.class === 'secret' ? 0 : 1;
}

/** Disjoint intervals in order; adding one that overlaps another is refused. */
class Intervals {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  add(start: number, end: number): boolean {
    const i = this.firstEndingAfter(start);
    const next = this.starts[i];
    if (next !== undefined && next < end) return false;
    this.starts.splice(i, 0, start);
    this.ends.splice(i, 0, end);
    return true;
  }

  private firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
