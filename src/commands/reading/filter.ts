import type { Command } from 'commander';
import { EXIT, GateError } from '../../core/errors.ts';
import type { GatePaths } from '../../core/paths.ts';
import { printable } from '../../output/printable.ts';
import type { Sql } from '../../store/query/sql.ts';
import type { FilterProblem } from '../../store/query/tokens.ts';
import { nearest } from '../nearest.ts';

/** What a filter argument is, for `--help`. */
export const FILTER_HELP = 'what to look for, as host:example.com or -status:200; see: gate help filters';

/** Begins like an option and is none: `-host:x`, `-(a OR b)`, `-"a b"`. */
const NEGATION = /^-(?:[a-zA-Z]+:|[("]|[^-].*\s)/;

/**
 * Lets a command take filters that begin with `-`, which would be read as options. The space before them is what
 * keeps them from it; a filter does not mind it.
 */
export function takesFilter(command: Command): Command {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => parse(args.map((arg) => (NEGATION.test(arg) ? ` ${arg}` : arg)));
  return command;
}

/** Turns filter arguments into a condition. Throws GateError `bad_filter` (exit 2) that points at the place, or `no_such_run`. */
export async function compileArguments(args: readonly string[], paths: GatePaths): Promise<Sql> {
  const { compileFilter } = await import('../../store/query/compile.ts');
  const { filterText } = await import('../../store/query/parse.ts');
  const { findRun } = await import('../../store/runs.ts');
  const text = filterText(args.map((arg) => arg.trim()));
  const compiled = compileFilter(text, {
    now: new Date(),
    kinds: await knownKinds(),
    findRun: (name) => findRun(paths, name).run,
  });
  if ('where' in compiled) return compiled.where;
  throw badFilter(text, compiled.problem);
}

/** Kinds of secrets and personal data, by which a filter may ask. */
export async function knownKinds(): Promise<{ secret: string[]; pii: string[] }> {
  const { KINDS } = await import('../../detect/kinds.ts');
  const of = (kindClass: 'secret' | 'pii') => [
    ...new Set(KINDS.filter((kind) => kind.class === kindClass).map(({ kind }) => kind)),
  ];
  // Known by its header's name, not by its form.
  return { secret: [...of('secret'), 'credential_header'], pii: of('pii') };
}

/** How much of a filter is shown on each side of what is wrong with it. */
const SIDE = 30;

function badFilter(text: string, problem: FilterProblem): GateError {
  const { start, end, message, unknown } = problem;
  const from = Math.max(0, start - SIDE);
  const before = printable(text.slice(from, start));
  const wrong = printable(text.slice(start, Math.min(end, start + 2 * SIDE)));
  const after = printable(text.slice(start, start + 2 * SIDE)).slice(wrong.length);
  const mark = '^'.repeat(Math.max(1, wrong.length));
  const picture = `    ${before}${wrong}${after}\n    ${' '.repeat(before.length)}${mark}`;
  return new GateError('bad_filter', `${printable(message)}\n${picture}`, {
    hint: hintOf(unknown),
    exitCode: EXIT.usage,
  });
}

function hintOf(unknown: FilterProblem['unknown']): string {
  if (unknown === undefined) return 'gate help filters';
  const meant = nearest(unknown.typed, unknown.known);
  const listed = unknown.known.length > 16 ? 'gate help filters' : `one of: ${unknown.known.join(', ')}`;
  return meant === undefined ? listed : `Did you mean ${meant}? Else: gate help filters`;
}
