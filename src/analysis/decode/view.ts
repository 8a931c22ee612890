/** A text derived from another, with the way back. Offsets are UTF-16 units. */
export interface View {
  readonly text: string;
  /** The smallest range of the original that the range [start, end) of this view came from. */
  toOriginal(start: number, end: number): readonly [number, number];
}

/** A text as it is, as a view of itself. */
export function identity(text: string): View {
  return { text, toOriginal: (start, end) => [start, end] };
}

/**
 * Between pieces that were not neighbours. The line ends stop patterns that look back for a name, the NUL stops
 * those that allow white space.
 */
export const GAP = '\n\0\n';

/** How far around a decoded place a secret is looked for at least; tokens that are longer are taken whole. */
const REACH = 384;
const MAX_TOKEN = 8192;

/**
 * Builds a view of one text from copies and replacements, in order. Each piece maps back in proportion, so one
 * formula serves copies (1:1), escapes (6:1) and base64 (4:3).
 */
export class ViewBuilder {
  private text = '';
  /** Three numbers a piece: where it starts here, and its range in the source. */
  private readonly pieces: number[] = [];
  /** End in the source of what the windows have covered; -1 before the first. */
  private covered = -1;

  private readonly source: View;
  private readonly reach: number;

  /** `reach`: how many units around a replaced place are kept. */
  constructor(source: View, reach: number = REACH) {
    this.source = source;
    this.reach = reach;
  }

  get isEmpty(): boolean {
    return this.text === '';
  }

  /** Appends text that stands for the range [from, to) of the source. */
  put(text: string, from: number, to: number): void {
    if (text.length === 0) return;
    this.pieces.push(this.text.length, from, to);
    this.text += text;
  }

  copy(from: number, to: number): void {
    if (to > from) this.put(this.source.text.slice(from, to), from, to);
  }

  gap(at: number): void {
    if (this.text !== '') this.put(GAP, at, at);
  }

  /**
   * Replaces [from, to), and keeps what is near it: texts with few escapes give small views. Places come in
   * ascending order.
   */
  replace(text: string, from: number, to: number): void {
    const source = this.source.text;
    if (this.covered < 0) {
      this.copy(stretch(source, Math.max(0, from - this.reach), -1, 0), from);
    } else if (from - this.covered <= 2 * this.reach) {
      this.copy(this.covered, from);
    } else {
      const stop = stretch(source, this.covered + this.reach, 1, from);
      this.copy(this.covered, stop);
      const start = stretch(source, Math.max(stop, from - this.reach), -1, stop);
      if (start > stop) this.gap(start);
      this.copy(start, from);
    }
    this.put(text, from, to);
    this.covered = to;
  }

  /** The finished view. Call once. */
  build(): View {
    if (this.covered >= 0) {
      const all = this.source.text.length;
      this.copy(this.covered, stretch(this.source.text, Math.min(all, this.covered + this.reach), 1, all));
    }
    const { source, text } = this;
    const pieces = new Pieces(this.pieces, text.length);
    return {
      text,
      toOriginal: (start, end) => source.toOriginal(...pieces.back(start, end)),
    };
  }
}

/** Where the pieces of a view came from. */
class Pieces {
  private readonly pieces: readonly number[];
  private readonly length: number;

  constructor(pieces: readonly number[], length: number) {
    this.pieces = pieces;
    this.length = length;
  }

  back(start: number, end: number): [number, number] {
    const first = this.place(start, start, Math.floor);
    return [first, end > start ? this.place(end - 1, end, Math.ceil) : first];
  }

  /** Where `position` is in the source, seen from the piece that holds `inside`. */
  private place(inside: number, position: number, round: (n: number) => number): number {
    const piece = this.pieceOf(inside);
    const [start = 0, from = 0, to = 0, next = this.length] = this.pieces.slice(piece * 3, piece * 3 + 4);
    return from + round(((position - start) * (to - from)) / (next - start));
  }

  private pieceOf(position: number): number {
    let low = 0;
    let high = this.pieces.length / 3 - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.pieces[middle * 3] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Moves the edge of a window out of the middle of a token: to the next white space or quote, within reason. */
function stretch(text: string, from: number, step: 1 | -1, limit: number): number {
  let at = from;
  for (let n = 0; n < MAX_TOKEN && at !== limit; n++) {
    const code = text.charCodeAt(step > 0 ? at : at - 1);
    // white space, quotes, backslash
    if (code <= 32 || code === 34 || code === 39 || code === 92) break;
    at += step;
  }
  return at;
}
