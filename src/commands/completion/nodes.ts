import type { Command, Option } from 'commander';
import { allCommands, fullName } from '../global.ts';
import { TOPICS } from '../help/topics.ts';

/** A word that may come next, with what it is. */
export interface CompletionWord {
  readonly word: string;
  readonly what: string;
}

export interface CompletionOption extends CompletionWord {
  /** Without dashes. */
  readonly long: string;
  readonly short?: string;
  /** What its value is; absent for a switch. */
  readonly value?: 'file' | 'text' | readonly string[];
}

/** What can follow one command: `path` is the command with those above it. */
export interface CompletionNode {
  readonly path: string;
  /** Commands below it, or the values of its argument. */
  readonly words: readonly CompletionWord[];
  /** Those of the words that are commands below it. */
  readonly commands: readonly string[];
  readonly options: readonly CompletionOption[];
  /** Its arguments are files. */
  readonly files: boolean;
  /** What follows `--` is another command line. */
  readonly wraps: boolean;
}

/** What completion needs to know of the command tree. */
export function completionNodes(program: Command): CompletionNode[] {
  return allCommands(program).map((command) => ({
    path: fullName(command),
    words: [...subcommands(command), ...choices(command)],
    commands: command.commands.map((each) => each.name()),
    options: [...command.options, HELP].map(optionOf),
    files: command.registeredArguments.some((argument) => isFile(argument.name())),
    wraps: command.registeredArguments.some((argument) => argument.name() === 'command'),
  }));
}

const HELP = { long: '--help', short: '-h', description: 'show this help', flags: '-h, --help' };

function subcommands(command: Command): CompletionWord[] {
  const words = command.commands.map((each) => ({ word: each.name(), what: each.description() }));
  if (command.name() !== 'help') return words;
  const above = command.parent?.commands ?? [];
  const names = above.map((each) => ({ word: each.name(), what: each.description() }));
  return [...TOPICS.map(({ name, summary }) => ({ word: name, what: summary })), ...names].filter(
    ({ word }, i, all) => all.findIndex((each) => each.word === word) === i,
  );
}

function choices(command: Command): CompletionWord[] {
  return command.registeredArguments.flatMap((argument) =>
    (argument.argChoices ?? []).map((word) => ({ word, what: argument.description })),
  );
}

type Described = Pick<Option, 'description' | 'flags'> &
  Partial<Pick<Option, 'argChoices'>> & {
    readonly long?: string | undefined;
    readonly short?: string | undefined;
  };

function optionOf(option: Described): CompletionOption {
  const { long = '', short, description, flags, argChoices } = option;
  const placeholder = /<(.+)>$/.exec(flags)?.[1];
  const base = { word: long, what: description, long: long.slice(2) };
  return {
    ...base,
    ...(short === undefined ? {} : { short: short.slice(1) }),
    ...(placeholder === undefined ? {} : { value: argChoices ?? (isFile(placeholder) ? 'file' : 'text') }),
  };
}

function isFile(name: string): boolean {
  return /^(file|path|dir|folder)$/.test(name);
}
