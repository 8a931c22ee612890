import { Command, CommanderError } from 'commander';
import { defineCa } from './commands/ca.ts';
import type { Context, DefineCommand, Exit } from './commands/command.ts';
import { defineCompletion } from './commands/completion.ts';
import { defineDemo } from './commands/demo.ts';
import { defineDismiss } from './commands/dismiss.ts';
import { defineDoctor } from './commands/doctor.ts';
import { defineAllow, defineDeny, definePassthrough } from './commands/edit-list.ts';
import { defineEvents } from './commands/events.ts';
import { defineExport } from './commands/export.ts';
import { addGlobalFlags, allCommands, fullName, type GlobalFlags } from './commands/global.ts';
import { topicList } from './commands/help/topics.ts';
import { defineHelp } from './commands/help.ts';
import { defineLists } from './commands/lists.ts';
import { defineProxy } from './commands/proxy.ts';
import { definePrune } from './commands/prune.ts';
import { defineReindex } from './commands/reindex.ts';
import { defineRun } from './commands/run.ts';
import { defineRuns } from './commands/runs.ts';
import { defineScan } from './commands/scan.ts';
import { defineSearch } from './commands/search.ts';
import { defineShow } from './commands/show.ts';
import { defineStats } from './commands/stats.ts';
import { defineTail } from './commands/tail.ts';
import { defineVerify } from './commands/verify.ts';
import { EXIT, GateError, messageOf } from './core/errors.ts';
import type { Io } from './core/io.ts';
import { GATE_VERSION } from './core/version.ts';

/** In the order of help. */
const COMMANDS: readonly DefineCommand[] = [
  defineRun,
  defineProxy,
  defineAllow,
  defineDeny,
  definePassthrough,
  defineLists,
  defineRuns,
  defineEvents,
  defineShow,
  defineDismiss,
  defineSearch,
  defineStats,
  defineTail,
  defineScan,
  defineVerify,
  defineExport,
  defineReindex,
  definePrune,
  defineCa,
  defineDemo,
  defineDoctor,
  defineCompletion,
  defineHelp,
];

/** The command tree, as used by the program itself, its tests and its documentation. */
export function buildProgram(context: Context, onFlags: (flags: GlobalFlags) => void = () => {}): Command {
  const program = new Command('gate')
    .description('Run AI agents in a network jail whose only exit is an audit proxy that records everything.')
    .version(GATE_VERSION, '--version', 'show the version')
    .enablePositionalOptions()
    .addHelpText(
      'before',
      'Examples:\n  $ gate run -- claude      # run an agent, record all it sends\n  $ gate runs               # list what was recorded\n',
    )
    .addHelpText('after', `\nTopics (gate help TOPIC):\n${topicList()}`);
  for (const define of COMMANDS) program.addCommand(define(context));
  addGlobalFlags(program, onFlags);
  for (const each of allCommands(program)) {
    each.exitOverride().configureOutput({
      writeOut: (text) => context.io.stdout.write(text),
      writeErr: (text) => context.io.stderr.write(text),
      outputError: (text, write) => write(usageText(text, each)),
    });
  }
  return program;
}

/** Commander's sentence in gate's form: what is wrong, and what was meant or where to read about it. */
function usageText(text: string, command: Command): string {
  const [what = '', meant = ''] = text
    .replace(/^error: /, '')
    .trimEnd()
    .split('\n');
  const next = /^\((.+)\)$/.exec(meant)?.[1] ?? fullName(command).replace(/^gate/, 'gate help');
  return `gate: ${what}\n  ${next}\n`;
}

/** Parses the arguments and does what they say. Every failure has been told on stderr when it returns. */
export async function runProgram(argv: readonly string[], io: Io): Promise<Exit> {
  let exit: Exit = EXIT.ok;
  let flags: GlobalFlags = {};
  const context: Context = {
    io,
    finish: (value) => {
      exit = value;
    },
  };
  try {
    const program = buildProgram(context, (given) => {
      flags = given;
    });
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    // Options of gate itself may stand before the command's name.
    const name = argv.find((word) => !word.startsWith('-')) ?? '';
    return explain(error, name, io, flags);
  }
}

function explain(error: unknown, name: string, io: Io, flags: GlobalFlags): number {
  // `gate run` must not be mistaken for its command: all of its own failures, wrong usage too, are 125.
  const usage = name === 'run' ? EXIT.internal : EXIT.usage;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : usage;
  if (error instanceof GateError) {
    io.stderr.write(`gate: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
    if (flags.verbose) io.stderr.write(causes(error));
    return error.exitCode === EXIT.usage ? usage : error.exitCode;
  }
  if (isSystemError(error)) {
    // A folder or file of gate's home that is not what it should be, not a bug: `gate doctor` says which.
    io.stderr.write(`gate: ${error.message}\n  gate doctor\n`);
    if (flags.verbose) io.stderr.write(`  ${error.stack}\n`);
    return EXIT.internal;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`gate: internal error, please report it: ${detail}\n`);
  return EXIT.internal;
}

/** What the system says of a path. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

/** What lies below an error, for `--verbose`. */
function causes(error: Error): string {
  const { cause } = error;
  if (cause === undefined) return '';
  return `  caused by: ${messageOf(cause)}\n${cause instanceof Error ? causes(cause) : ''}`;
}
