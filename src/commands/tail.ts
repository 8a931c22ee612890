import { EXIT } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import type { News } from '../store/query/follow.ts';
import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { compileArguments, FILTER_HELP, takesFilter } from './reading/filter.ts';
import { type Reading, withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';

interface TailFlags extends GlobalFlags {
  readonly run?: string;
  readonly json?: boolean;
}

/** Looks are at least so far apart: under load many events come with each. */
const PAUSE_MS = 100;
/** What was shown is remembered so far back, to tell what is new of an event; it is followed for days. */
const MAX_TOLD = 100_000;

/** `gate tail`: what happens now. */
export const defineTail: DefineCommand = ({ io, finish }) =>
  takesFilter(
    command('tail', 'Follow all runs: each exchange when it ends, its flags when it is analysed', [
      ['gate tail', 'all that goes on, until Ctrl-C'],
      ['gate tail flag:high', 'only what gets a high flag'],
      [
        'gate tail --run last --json',
        'one run, one JSON object a line; an id comes again once it is analysed',
      ],
    ]),
  )
    .argument('[filter...]', FILTER_HELP)
    .option('--run <run>', 'only this run, by id, last six characters, or `last`')
    .option('--json', 'print one JSON object a line')
    .action(async (args: string[], flags: TailFlags) => {
      await withIndex(io, flags, (reading) => tail(args, flags, io, reading));
      finish(EXIT.ok);
    });

async function tail(args: readonly string[], flags: TailFlags, io: Io, reading: Reading): Promise<void> {
  const { createFollower } = await import('../store/query/follow.ts');
  const { watchRuns } = await import('../store/query/watch-runs.ts');
  const { findRun } = await import('../store/runs.ts');
  const run = flags.run === undefined ? [] : [`run:${findRun(reading.paths, flags.run).run}`];
  const where = await compileArguments([...args, ...run], reading.paths);
  const follower = createFollower(reading.index.database, reading.events, where);
  const show = await shower(flags, io);
  const bell = createBell();
  const watch = watchRuns(reading.paths, bell.ring);
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, bell.end);
  say(io, flags, 'following all that ends from now on; Ctrl-C ends it');
  try {
    while (await bell.next()) {
      await reading.refresh();
      for (const news of follower.news()) await show(news);
    }
  } finally {
    watch.stop();
    for (const signal of signals) process.removeListener(signal, bell.end);
  }
}

interface Bell {
  ring(): void;
  end(): void;
  /** Resolves when it was rung since the last time; false at the end. */
  next(): Promise<boolean>;
}

function createBell(): Bell {
  let rung = false;
  let ended = false;
  let wake: () => void = () => undefined;
  const pause = () => new Promise<void>((done) => setTimeout(done, PAUSE_MS));
  return {
    ring() {
      rung = true;
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async next() {
      if (!ended) await pause();
      while (!rung && !ended) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      rung = false;
      return !ended;
    },
  };
}

/** Prints news: a line for each event, and one more where its flags come after it. */
async function shower(flags: TailFlags, io: Io): Promise<(news: News) => Promise<void>> {
  if (flags.json === true) return ({ event }) => print(io, `${JSON.stringify(event)}\n`);
  const { eventLine, flagsLine } = await import('../output/events.ts');
  const told = new Set<string>();
  return async ({ event, ended }) => {
    const look = { ...lookOf(io, flags), now: new Date() };
    const open = event.flags.filter(({ dismissed }) => !dismissed).map(({ code }) => `${event.id} ${code}`);
    const isNew = open.some((key) => !told.has(key));
    // What a filter lets through only now has had no line yet.
    const isFirst = ended || !told.has(event.id);
    if (isFirst) await print(io, eventLine(event, look));
    else if (isNew) await print(io, flagsLine(event, look));
    for (const key of [event.id, ...open]) told.add(key);
    for (const oldest of told) {
      if (told.size <= MAX_TOLD) break;
      told.delete(oldest);
    }
  };
}
