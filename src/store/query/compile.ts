import { compileWord, type FilterContext } from './conditions.ts';
import { OPERATORS } from './operators.ts';
import { type Filter, parseFilter, type Term, termsOf } from './parse.ts';
import { joined, negated, type Sql, sql } from './sql.ts';
import type { FilterProblem } from './tokens.ts';

/** A condition on a row `e` of `events`, or what is wrong with the filter. */
export type Compiled = { readonly where: Sql } | { readonly problem: FilterProblem };

const EVERYTHING = sql('TRUE');

/**
 * Turns a filter into a condition with bound values. Throws only what `findRun` throws. What is not known of an
 * event (the status of a tunnel, say) is not so: `status:404` is false of it, and `-status:404` true.
 */
export function compileFilter(text: string, context: Omit<FilterContext, 'withDismissed'>): Compiled {
  const parsed = parseFilter(text);
  if ('problem' in parsed) return parsed;
  const { filter } = parsed;
  const withDismissed = termsOf(filter).some(
    ({ name, value }) => `${name}:${value}`.toLowerCase() === 'is:dismissed',
  );
  try {
    return { where: filter === undefined ? EVERYTHING : compile(filter, { ...context, withDismissed }) };
  } catch (error) {
    if (error instanceof Bad) return { problem: error.problem };
    throw error;
  }
}

/** Ends the descent; it never leaves this file. */
class Bad extends Error {
  readonly problem: FilterProblem;

  constructor(problem: FilterProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

function compile(filter: Filter, context: FilterContext): Sql {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => compile(part, context));
      return joined(parts, filter.kind === 'and' ? 'AND' : 'OR');
    }
    case 'not':
      return negated(compile(filter.part, context));
    case 'term':
      return compileTerm(filter.term, context);
  }
}

function compileTerm(term: Term, context: FilterContext): Sql {
  const { name, value, valueAt, start } = term;
  if (name === undefined) return compileWord(value);
  const operator = OPERATORS.find((each) => each.name === name.toLowerCase());
  if (operator === undefined) {
    throw new Bad({
      message: `there is no operator '${name}:'`,
      start,
      end: valueAt.start,
      unknown: { typed: name, known: OPERATORS.map((each) => each.name) },
    });
  }
  if (value === '') throw new Bad({ message: `'${name}:' needs a value`, start, end: valueAt.end });
  const result = operator.compile(value, context);
  if (!('problem' in result)) return result;
  const { problem, known } = result;
  const unknown = known === undefined ? {} : { unknown: { typed: value, known } };
  throw new Bad({ message: problem, ...valueAt, ...unknown });
}
