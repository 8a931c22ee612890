import { Option } from 'commander';
import { RUN_MODES } from '../core/config.ts';
import { EXIT, GateError } from '../core/errors.ts';
import type { RunFlags } from '../supervisor/settings.ts';
import { collect, command, type DefineCommand } from './command.ts';

/** `gate run`: jail a command, audit its traffic, exit as it exited. */
export const defineRun: DefineCommand = (context) =>
  command('run', 'Run a command in the jail and record everything it sends', [
    ['gate run -- claude', 'run an agent; unknown hosts are allowed and flagged'],
    ['gate run --enforce -- codex', 'only hosts on the allowlist or the passthrough list'],
    ['gate run --deny "*.example.com" -- npm install', 'one rule for one run'],
    ['gate run --mode permissive -- claude', 'no jail: only what uses the proxy variables is recorded'],
  ])
    .usage('[options] -- <command> [arguments...]')
    .argument('[command...]', 'the command and its arguments')
    .passThroughOptions()
    .addOption(
      new Option(
        '--mode <mode>',
        'airtight: in the jail or not at all (the default); best-effort: in the jail where that works, else as permissive, with a warning; permissive: no jail, the command is led to gate by its variables only',
      ).choices(RUN_MODES),
    )
    .option('--enforce', 'refuse hosts that are on neither the allowlist nor the passthrough list')
    .option('--allow <pattern>', 'allow a host for this run (repeatable)', collect)
    .option('--deny <pattern>', 'deny a host for this run (repeatable)', collect)
    .option('--passthrough <pattern>', 'tunnel a host unread for this run (repeatable)', collect)
    .option('--allow-local <port>', "let in a service of this machine's loopback (repeatable)", collect)
    .option(
      '--publish <port>',
      "let this machine's loopback reach a server in the jail, such as a dev server (repeatable)",
      collect,
    )
    .option('--allow-socket <path>', 'leave a control socket reachable (repeatable)', collect)
    .option('--resolve <host:port:addr[:port]>', 'send a host to a given address (repeatable)', collect)
    .option('--upstream-ca <file>', 'trust one more CA upstream (repeatable)', collect)
    .option('--label <key=value>', 'note a label in the record (repeatable)', collect)
    .option('-q, --quiet', 'no summary line')
    .option('-v, --verbose', 'say more after the command has ended')
    .action(async (words: string[], flags: RunFlags) => {
      const [program, ...args] = words;
      if (program === undefined) {
        throw new GateError('usage', 'no command given', {
          hint: 'gate run -- <command> [arguments...]',
          exitCode: EXIT.internal,
        });
      }
      const { run } = await import('../supervisor/run.ts');
      context.finish(await run([program, ...args], flags, context.io));
    });
