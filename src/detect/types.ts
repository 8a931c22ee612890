export type FindingClass = 'secret' | 'pii';

/** A recognised piece of text. Offsets are UTF-16 units; `end` is the first unit after it. */
export interface Span {
  readonly class: FindingClass;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/** A span as it may be shown and stored: never the value, only a safe prefix, the last four and the length. */
export interface Finding extends Span {
  readonly masked: string;
  /** Of the value, by the function that the detector was given; equal values have equal fingerprints. */
  readonly fingerprint?: string;
}

/** Where a candidate stands, for checks that look around it. */
export interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Characters that may stand before a match: of a longer token, it would be the middle and not the start. */
export type LeftBoundary = 'token' | 'alnum' | 'none';

/** A run of digits as an anchor: how long it is, and which characters may stand right before and after it. */
export interface DigitRun {
  readonly min: number;
  readonly max: number;
  readonly before?: string;
  readonly after?: string;
}

/**
 * One kind of secret or personal data, as data.
 *
 * The engine finds an anchor (or a digit run) in one pass over the text, goes back over `back`, looks at the
 * left boundary and tries `pattern` once, right there. Patterns must be bounded: no `*` or `+` without a limit
 * on a class that can contain their own anchor, so that the whole stays linear in the text.
 */
export interface Kind {
  readonly kind: string;
  readonly class: FindingClass;
  /** Of two spans of one class that overlap, the lower rank stays: 0 for exact formats, 5 for guesses by context. */
  readonly rank: number;
  /** Lower-case texts, of which one is in every match; found in any case. */
  readonly anchors?: readonly string[];
  readonly runs?: readonly DigitRun[];
  /** The match may start before the anchor: at most `max` characters of the set (ASCII). */
  readonly back?: { readonly set: string; readonly max: number };
  readonly left?: LeftBoundary;
  /** Without `g` or `y`. Group 1, where present, is the value and must end the match. */
  readonly pattern: RegExp;
  readonly check?: (value: string, place: Place) => boolean;
  /** How many leading characters of the value are public knowledge and may be shown. */
  readonly show: number;
}
