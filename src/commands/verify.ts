import { EXIT, GateError } from '../core/errors.ts';
import { command, type DefineCommand } from './command.ts';

/** `gate verify`: is the record whole? */
export const defineVerify: DefineCommand = ({ io, finish }) =>
  command('verify', 'Check hash chains, record counts, heads and every stored body', [
    ['gate verify', 'check all runs'],
    ['gate verify last', 'check the latest run'],
    ['gate verify K3F9QZ --head 5f1d...', 'against a hash that you noted elsewhere'],
  ])
    .argument('[run...]', 'runs, by id, last six characters, or `last`; all where none is given')
    .option('--head <hash>', "the hash that the run's last line must have")
    .option('--json', 'print one JSON object')
    .action(async (names: string[], options: { head?: string; json?: boolean }) => {
      const { verdictText } = await import('../output/verdict.ts');
      const { gatePaths } = await import('../core/paths.ts');
      const { findRun } = await import('../store/runs.ts');
      const { verify } = await import('../store/verify.ts');
      const paths = gatePaths(io.env);
      const runs = [...new Set(names)].map((name) => findRun(paths, name));
      if (options.head !== undefined && runs.length !== 1) {
        throw new GateError('usage', '--head is the head of one run', {
          hint: 'gate verify last --head HASH',
          exitCode: EXIT.usage,
        });
      }
      const verdict = await verify(paths, {
        ...(runs.length === 0 ? {} : { runs }),
        ...(options.head === undefined ? {} : { head: options.head }),
      });
      io.stdout.write(options.json ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
      finish(verdict.ok ? EXIT.ok : EXIT.no);
    });
