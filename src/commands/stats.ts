import { Option } from 'commander';
import { EXIT } from '../core/errors.ts';
import { GROUPINGS, type Grouping } from '../store/query/stats.ts';
import { command, type DefineCommand } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { compileArguments, FILTER_HELP, takesFilter } from './reading/filter.ts';
import { withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';

interface StatsFlags extends GlobalFlags {
  readonly by: Grouping;
  readonly json?: boolean;
}

/** `gate stats`: counts, bytes, tokens, cost and times. */
export const defineStats: DefineCommand = ({ io, finish }) =>
  takesFilter(
    command('stats', 'Count exchanges, bytes, tokens, cost and times', [
      ['gate stats run:last', 'the last run, by host'],
      ['gate stats --by model since:7d', 'what each model took in a week'],
      ['gate stats --by flag', 'what was flagged; dismissed flags do not count'],
      ['gate stats --by day --json', 'one JSON object: {by, total, groups}'],
    ]),
  )
    .argument('[filter...]', FILTER_HELP)
    .addOption(new Option('--by <what>', 'how to group').choices(GROUPINGS).default('host'))
    .option('--json', 'print one JSON object')
    .action(async (args: string[], flags: StatsFlags) => {
      const { countEvents } = await import('../store/query/stats.ts');
      await withIndex(io, flags, async ({ paths, index }) => {
        const where = await compileArguments(args, paths);
        const counted = index.read((database) => countEvents(database, where, flags.by));
        if (flags.json === true) {
          await print(io, `${JSON.stringify({ by: flags.by, ...counted })}\n`);
          return;
        }
        const { statsText } = await import('../output/stats.ts');
        await print(io, statsText(flags.by, counted, lookOf(io, flags)));
      });
      finish(EXIT.ok);
    });
