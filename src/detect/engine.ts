import { type Automaton, buildAutomaton, CLASSES, FIRST_DIGIT } from './automaton.ts';
import { asciiTable, isIn } from './charset.ts';
import type { DigitRun, Kind, Span } from './types.ts';

/** A span before it is resolved against others; `rank` is its kind's. */
export interface RawSpan extends Span {
  readonly rank: number;
  readonly value: string;
  readonly show: number;
}

interface Rule {
  readonly kind: Kind;
  readonly pattern: RegExp;
  readonly back: Uint8Array | undefined;
  readonly left: Uint8Array | undefined;
  /** End of the rule's last match: anchors inside it are not looked at again. */
  done: number;
}

interface RunRule {
  readonly rule: Rule;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
}

interface Anchor {
  readonly rule: Rule;
  readonly length: number;
}

/** Longer digit runs all count as this long; no kind tells them apart. */
const MAX_RUN = 32;
/** A rejected value of this length is passed over as a whole. */
const LONG = 64;

export interface Engine {
  /** All matches in a text, in no order and with overlaps. Linear in the text for any content. */
  match(text: string): RawSpan[];
}

/** Compiles kinds into one automaton and a table of digit runs. Not reentrant: one engine per thread. */
export function createEngine(kinds: readonly Kind[]): Engine {
  const anchors: Anchor[] = [];
  const texts: string[] = [];
  const runs: RunRule[][] = Array.from({ length: MAX_RUN + 1 }, () => []);
  const rules = kinds.map(compile);
  for (const rule of rules) {
    for (const text of rule.kind.anchors ?? []) {
      texts.push(text);
      anchors.push({ rule, length: text.length });
    }
    for (const run of rule.kind.runs ?? []) addRun(runs, rule, run);
  }
  const automaton = buildAutomaton(texts);
  const byHit = automaton.hits.map((hit) => hit.map((n) => anchors[n]).filter((a) => a !== undefined));
  return {
    match(text) {
      for (const rule of rules) rule.done = 0;
      const out: RawSpan[] = [];
      pass(text, automaton, byHit, runs, out);
      return out;
    },
  };
}

/** The only loop over the text: a table lookup for each unit, work only where an anchor ends or digits start. */
function pass(
  text: string,
  { fold, next, accept }: Automaton,
  byHit: readonly (readonly Anchor[])[],
  runs: readonly (readonly RunRule[])[],
  out: RawSpan[],
): void {
  // locals, because loaders that turn imports into getters would call one for each unit
  const width = CLASSES;
  const digit = FIRST_DIGIT;
  const length = text.length;
  let state = 0;
  let afterDigits = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const c = code < 128 ? (fold[code] as number) : 0;
    state = next[state * width + c] as number;
    const hit = accept[state] as number;
    if (hit !== 0) {
      for (const { rule, length: anchor } of byHit[hit - 1] ?? []) attempt(rule, text, i + 1 - anchor, out);
    }
    if (c >= digit && i >= afterDigits) afterDigits = digits(text, i, runs, out);
  }
}

/** Tries the kinds for a run of digits that starts here; returns the run's end. */
function digits(text: string, start: number, runs: readonly (readonly RunRule[])[], out: RawSpan[]): number {
  let end = start + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code < 48 || code > 57) break;
    end++;
  }
  for (const { rule, before, after } of runs[Math.min(end - start, MAX_RUN)] ?? []) {
    if (before !== undefined && !isIn(before, text, start - 1)) continue;
    if (after !== undefined && !isIn(after, text, end)) continue;
    attempt(rule, text, start, out);
  }
  return end;
}

function attempt(rule: Rule, text: string, anchor: number, out: RawSpan[]): void {
  if (anchor < rule.done) return;
  const { kind, pattern } = rule;
  let start = anchor;
  if (rule.back !== undefined && kind.back !== undefined) {
    const least = Math.max(rule.done, anchor - kind.back.max);
    while (start > least && isIn(rule.back, text, start - 1)) start--;
  }
  if (rule.left !== undefined && isIn(rule.left, text, start - 1)) return;
  pattern.lastIndex = start;
  const found = pattern.exec(text);
  if (found === null) return;
  const end = start + found[0].length;
  const value = found[1] ?? found[0];
  const place = { text, start: end - value.length, end };
  if (kind.check !== undefined && !kind.check(value, place)) {
    // an anchor inside a rejected token is its middle, and looking at each in a long one takes too long
    if (kind.rank <= 1 || value.length >= LONG) rule.done = end;
    return;
  }
  rule.done = end;
  out.push({
    class: kind.class,
    kind: kind.kind,
    start: place.start,
    end,
    rank: kind.rank,
    show: kind.show,
    value,
  });
}

function compile(kind: Kind): Rule {
  return {
    kind,
    pattern: new RegExp(kind.pattern.source, `${kind.pattern.flags}y`),
    back: kind.back && asciiTable(kind.back.set),
    left: leftTable(kind.left ?? 'token'),
    done: 0,
  };
}

function leftTable(left: Kind['left']): Uint8Array | undefined {
  if (left === 'none') return undefined;
  return asciiTable(left === 'alnum' ? 'a-zA-Z0-9' : 'a-zA-Z0-9_-');
}

function addRun(runs: RunRule[][], rule: Rule, run: DigitRun): void {
  const entry = {
    rule,
    before: run.before === undefined ? undefined : asciiTable(run.before),
    after: run.after === undefined ? undefined : asciiTable(run.after),
  };
  for (let n = run.min; n <= Math.min(run.max, MAX_RUN); n++) runs[n]?.push(entry);
}
