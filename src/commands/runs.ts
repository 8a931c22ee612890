import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';

/** `gate runs`: what ran, oldest first. */
export const defineRuns: DefineCommand = ({ io }) =>
  command('runs', 'List the runs', [
    ['gate runs', 'a table, the latest run last'],
    ['gate runs --json', 'one JSON object a line'],
  ])
    .option('--json', 'print one JSON object a line')
    .action(async (options: GlobalFlags & { json?: boolean }) => {
      const { listedRuns, runsTable } = await import('../output/runs.ts');
      const { gatePaths } = await import('../core/paths.ts');
      const { listRuns } = await import('../store/runs.ts');
      const { readRunFacts } = await import('../store/run-facts.ts');
      const runs = listedRuns(listRuns(gatePaths(io.env)), readRunFacts);
      if (runs.length === 0 && !options.json) say(io, options, 'no runs yet\n  gate run -- <command>');
      io.stdout.write(
        options.json
          ? runs.map((run) => `${JSON.stringify(run)}\n`).join('')
          : runsTable(runs, lookOf(io, options).width),
      );
    });
