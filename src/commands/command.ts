import { Command } from 'commander';
import { EXIT, GateError } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import type { GlobalFlags } from './global.ts';
import { nearest } from './nearest.ts';

/** How the program ends: with an exit code, or by a signal that it passes on to itself. */
export type Exit = number | NodeJS.Signals;

/** What a command gets: the outside world, and where to say how it ended. */
export interface Context {
  readonly io: Io;
  finish(exit: Exit): void;
}

/** Makes one command of the tree. Heavy parts are imported by its action, so that `--help` stays quick. */
export type DefineCommand = (context: Context) => Command;

/** A command whose help begins with examples. */
export function command(
  name: string,
  summary: string,
  examples: readonly (readonly [string, string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  $ ${line.padEnd(width)}  # ${what}`);
  return new Command(name).description(summary).addHelpText('before', `Examples:\n${lines.join('\n')}\n`);
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Tells the person what happened, on stderr; silent with `--quiet`. */
export function say(io: Io, flags: GlobalFlags, text: string): void {
  if (flags.quiet !== true) io.stderr.write(`gate: ${text}\n`);
}

/** What changes gate's own rules is for the person outside, whatever a jailed program could reach. */
export function refuseInJail(io: Io, what: string): void {
  const run = io.env['GATE_RUN'];
  if (run === undefined) return;
  throw new GateError('in_jail', `${what} cannot be changed from inside gate run ${run}`, {
    hint: 'ask the user to type it in a terminal outside',
    exitCode: EXIT.no,
  });
}

/** A command with an action and commands below it takes a mistyped one for an argument: this answers it. */
export function rejectWords(words: readonly string[], command: Command): void {
  const [word] = words;
  if (word === undefined) return;
  const names = command.commands.map((each) => each.name());
  const meant = nearest(word, names);
  throw new GateError('usage', `unknown command '${word}'`, {
    hint: meant === undefined ? `one of: ${names.join(', ')}` : `Did you mean ${meant}?`,
    exitCode: EXIT.usage,
  });
}
