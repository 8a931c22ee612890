import { EXIT } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { compileArguments, FILTER_HELP, takesFilter } from './reading/filter.ts';
import { parseLimit } from './reading/limit.ts';
import { withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';

interface EventsFlags extends GlobalFlags {
  readonly json?: boolean;
  readonly limit?: number;
}

/** Lines on a screen, where no limit was given. */
const SCREEN_LIMIT = 50;

/** `gate events`: what was captured, passed through and refused. */
export const defineEvents: DefineCommand = ({ io, finish }) =>
  takesFilter(
    command('events', 'List exchanges, tunnels and refusals, newest last', [
      ['gate events', 'the latest'],
      ['gate events run:last is:blocked', 'what the last run was denied'],
      ['gate events flag:high since:today', 'high flags of today'],
      ["gate events 'host:*.example.com OR model:haiku' -status:200", 'filters: see gate help filters'],
      ['gate events --json secret:any', 'all of them, one JSON object a line'],
    ]),
  )
    .argument('[filter...]', FILTER_HELP)
    .option('--limit <n>', `the newest n, or all (default: ${SCREEN_LIMIT}; with --json, all)`, parseLimit)
    .option('--json', 'print one JSON object a line')
    .action(async (args: string[], flags: EventsFlags) => {
      await listEvents(args, flags, io);
      finish(EXIT.ok);
    });

async function listEvents(args: readonly string[], flags: EventsFlags, io: Io): Promise<void> {
  await withIndex(io, flags, async ({ paths, events }) => {
    const where = await compileArguments(args, paths);
    if (flags.json === true) {
      const found = flags.limit === undefined ? events.all(where) : events.newest(where, flags.limit);
      for (const event of found) await print(io, `${JSON.stringify(event)}\n`);
      return;
    }
    const { eventsText } = await import('../output/events.ts');
    const limit = flags.limit ?? SCREEN_LIMIT;
    const found = events.newest(where, limit);
    await print(io, eventsText(found, { ...lookOf(io, flags), now: new Date() }));
    if (found.length === 0) say(io, flags, 'nothing matches');
    if (found.length === limit) {
      const all = events.count(where);
      if (all > limit) say(io, flags, `the newest ${limit} of ${all}; --limit all shows the rest`);
    }
  });
}
