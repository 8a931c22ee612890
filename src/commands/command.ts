import { Command } from 'commander';
import type { Io } from '../core/io.ts';

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
  return new Command(name)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('before', `Examples:\n${lines.join('\n')}\n`);
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}
