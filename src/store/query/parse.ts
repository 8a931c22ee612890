import { type FilterProblem, type Token, tokenize } from './tokens.ts';

/** A term of a filter: `host:example.com`, or a free word, which has no name. */
export type Term = Extract<Token, { kind: 'term' }>;

/** What a filter says. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: 'term'; readonly term: Term };

/** `filter` is undefined where nothing was asked for: everything matches. */
export type Parsed = { readonly filter: Filter | undefined } | { readonly problem: FilterProblem };

/** Deeper nesting is a slip or an attack on the stack. */
const MAX_DEPTH = 50;

/**
 * One text of several arguments, which are joined with AND: an argument of several words is put in parentheses, so
 * that an OR in it stays in it. Words that a shell has separated (`a OR b`) still go together.
 */
export function filterText(args: readonly string[]): string {
  if (args.length < 2) return args.join(' ');
  return args.map((arg) => (isGroup(arg) ? `(${arg})` : arg)).join(' ');
}

/** Reads a filter: terms, `AND` (or nothing), `OR`, `NOT` or `-`, parentheses. NOT binds first, then AND, then OR. */
export function parseFilter(text: string): Parsed {
  const read = tokenize(text);
  if ('problem' in read) return read;
  if (read.tokens.length === 0) return { filter: undefined };
  const parser = new Parser(read.tokens, text.length);
  try {
    return { filter: parser.all() };
  } catch (error) {
    if (error instanceof Stop) return { problem: error.problem };
    throw error;
  }
}

/** The terms of a filter, in order. */
export function termsOf(filter: Filter | undefined): Term[] {
  if (filter === undefined) return [];
  if (filter.kind === 'term') return [filter.term];
  return filter.kind === 'not' ? termsOf(filter.part) : filter.parts.flatMap(termsOf);
}

function isGroup(arg: string): boolean {
  const read = tokenize(arg);
  if ('problem' in read || read.tokens.length < 2) return false;
  let depth = 0;
  for (const { kind } of read.tokens) {
    if (kind === '(') depth += 1;
    if (kind === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && read.tokens.some(({ kind }) => kind === 'OR');
}

/** Ends the descent; it never leaves this file. */
class Stop extends Error {
  readonly problem: FilterProblem;

  constructor(problem: FilterProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

class Parser {
  private readonly tokens: readonly Token[];
  private readonly length: number;
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], length: number) {
    this.tokens = tokens;
    this.length = length;
  }

  all(): Filter {
    const filter = this.or();
    const left = this.tokens[this.at];
    if (left !== undefined) throw stop("this ')' closes nothing", left);
    return filter;
  }

  private or(): Filter {
    const parts = [this.and()];
    while (this.take('OR')) parts.push(this.and());
    return group('or', parts);
  }

  private and(): Filter {
    const parts = [this.not()];
    for (;;) {
      const next = this.tokens[this.at]?.kind;
      if (next === undefined || next === 'OR' || next === ')') return group('and', parts);
      this.take('AND');
      parts.push(this.not());
    }
  }

  private not(): Filter {
    let isNegated = false;
    while (this.take('NOT')) isNegated = !isNegated;
    const part = this.primary();
    return isNegated ? { kind: 'not', part } : part;
  }

  private primary(): Filter {
    const token = this.tokens[this.at];
    if (token === undefined) {
      throw stop('something is missing at the end', { start: this.length, end: this.length });
    }
    this.at += 1;
    if (token.kind === 'term') {
      const term: Filter = { kind: 'term', term: token };
      return token.negated ? { kind: 'not', part: term } : term;
    }
    if (token.kind !== '(') throw stop(`'${token.kind}' is not expected here`, token);
    return this.inside(token);
  }

  private inside(open: Token): Filter {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw stop('too many parentheses in each other', open);
    const inner = this.or();
    if (!this.take(')')) throw stop("this '(' is not closed", open);
    this.depth -= 1;
    return inner;
  }

  private take(kind: Token['kind']): boolean {
    if (this.tokens[this.at]?.kind !== kind) return false;
    this.at += 1;
    return true;
  }
}

function group(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

function stop(message: string, { start, end }: { readonly start: number; readonly end: number }): Stop {
  return new Stop({ message, start, end });
}
