/** A place in the text of a filter, UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A word of a filter: a parenthesis, `AND`, `OR`, `NOT`, or a term. */
export type Token = Range &
  (
    | { readonly kind: '(' | ')' | 'AND' | 'OR' | 'NOT' }
    | {
        readonly kind: 'term';
        /** What stands before the colon; absent in a free word. */
        readonly name?: string;
        readonly value: string;
        readonly valueAt: Range;
        /** Began with `-`. */
        readonly negated: boolean;
      }
  );

/** What is wrong with a filter, and where. */
export interface FilterProblem extends Range {
  readonly message: string;
  /** A typed word that is like none that is known, with those that are. */
  readonly unknown?: { readonly typed: string; readonly known: readonly string[] };
}

export type Tokens = { readonly tokens: readonly Token[] } | { readonly problem: FilterProblem };

const SPACE = /\s/;
const NAME = /^([a-zA-Z]+):/;

/** Takes a filter apart. Quotes keep spaces and parentheses together; `\"` and `\\` stand for themselves in them. */
export function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
    } else if (char === '(' || char === ')') {
      tokens.push({ kind: char, start: at, end: at + 1 });
      at += 1;
    } else if (char === '-' && text.charAt(at + 1) === '(') {
      tokens.push({ kind: 'NOT', start: at, end: at + 1 });
      at += 1;
    } else {
      const token = term(text, at);
      if ('message' in token) return { problem: token };
      tokens.push(token);
      at = token.end;
    }
  }
  return { tokens };
}

function term(text: string, start: number): Token | FilterProblem {
  const negated =
    text.charAt(start) === '-' && start + 1 < text.length && /[^\s()]/.test(text.charAt(start + 1));
  const from = negated ? start + 1 : start;
  const name = nameAt(text, from);
  const valueStart = from + (name === undefined ? 0 : name.length + 1);
  if (text.charAt(valueStart) === '"') {
    const quoted = quotedAt(text, valueStart);
    if (quoted === undefined) {
      return { message: 'a quote is opened and not closed', start: valueStart, end: text.length };
    }
    return made(start, negated, name, quoted.value, { start: valueStart, end: quoted.end });
  }
  const end = bareEnd(text, valueStart);
  const value = text.slice(valueStart, end);
  if (name === undefined && !negated && (value === 'AND' || value === 'OR' || value === 'NOT')) {
    return { kind: value, start, end };
  }
  return made(start, negated, name, value, { start: valueStart, end });
}

function made(
  start: number,
  negated: boolean,
  name: string | undefined,
  value: string,
  valueAt: Range,
): Token {
  const named = name === undefined ? {} : { name };
  return { kind: 'term', start, end: valueAt.end, negated, ...named, value, valueAt };
}

/** The letters before a colon; a URL is no operator. */
function nameAt(text: string, from: number): string | undefined {
  const found = NAME.exec(text.slice(from, from + 40));
  return found === null || text.startsWith('//', from + found[0].length) ? undefined : found[1];
}

function quotedAt(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') return { value, end: at + 1 };
    const next = text.charAt(at + 1);
    if (char === '\\' && (next === '"' || next === '\\')) {
      value += next;
      at += 1;
    } else value += char;
  }
  return undefined;
}

/** Where a word without quotes ends: at a space, or at a parenthesis that was not opened in it. */
function bareEnd(text: string, start: number): number {
  let open = 0;
  let at = start;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (SPACE.test(char)) break;
    if (char === '(') open += 1;
    if (char === ')' && open === 0) break;
    if (char === ')') open -= 1;
  }
  return at;
}
