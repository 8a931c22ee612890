import { Command, CommanderError } from 'commander';
import type { Context, DefineCommand, Exit } from './commands/command.ts';
import { defineRun } from './commands/run.ts';
import { defineRuns } from './commands/runs.ts';
import { defineScan } from './commands/scan.ts';
import { defineVerify } from './commands/verify.ts';
import { EXIT, GateError } from './core/errors.ts';
import type { Io } from './core/io.ts';
import { GATE_VERSION } from './core/version.ts';

const COMMANDS: readonly DefineCommand[] = [defineRun, defineRuns, defineScan, defineVerify];

/** The command tree, as used by the program itself, its tests and its documentation. */
export function buildProgram(context: Context): Command {
  const program = new Command('gate')
    .description('Run AI agents in a network jail whose only exit is an audit proxy that records everything.')
    .version(GATE_VERSION, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show help for a command')
    .enablePositionalOptions()
    .addHelpText(
      'before',
      'Examples:\n  $ gate run -- claude      # run an agent, record all it sends\n  $ gate runs               # list what was recorded\n',
    );
  for (const define of COMMANDS) program.addCommand(define(context));
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => context.io.stdout.write(text),
      writeErr: (text) => context.io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'gate: ')),
    });
  }
  return program;
}

/** Parses the arguments and does what they say. Every failure has been told on stderr when it returns. */
export async function runProgram(argv: readonly string[], io: Io): Promise<Exit> {
  let exit: Exit = EXIT.ok;
  const context: Context = {
    io,
    finish: (value) => {
      exit = value;
    },
  };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    return explain(error, argv[0] ?? '', io);
  }
}

function explain(error: unknown, name: string, io: Io): number {
  // `gate run` must not be mistaken for its command: all of its own failures, wrong usage too, are 125.
  const usage = name === 'run' ? EXIT.internal : EXIT.usage;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : usage;
  if (error instanceof GateError) {
    io.stderr.write(`gate: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
    return error.exitCode === EXIT.usage ? usage : error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`gate: internal error, please report it: ${detail}\n`);
  return EXIT.internal;
}
