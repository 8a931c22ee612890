import type { Io } from '../../core/io.ts';
import { type GatePaths, gatePaths } from '../../core/paths.ts';
import type { Progress } from '../../output/progress.ts';
import type { GateIndex } from '../../store/index/open.ts';
import type { EventReader } from '../../store/query/events.ts';
import { say } from '../command.ts';
import type { GlobalFlags } from '../global.ts';
import { sayUnreadable } from './unreadable.ts';

/** Most of the time there is little to read, and nothing to tell. */
const PROGRESS_AFTER_MS = 300;

/** The index as reading commands use it: with all that the ledgers have now, and the dismissals in force. */
export interface Reading {
  readonly paths: GatePaths;
  readonly index: GateIndex;
  readonly events: EventReader;
  /** Takes in what was written since. */
  refresh(): Promise<void>;
}

/** Opens the index, brings it up to date, and closes it after the work. Throws GateError `index_failed`, `bad_dismissals`. */
export async function withIndex<T>(
  io: Io,
  flags: GlobalFlags,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { openIndex } = await import('../../store/index/open.ts');
  const { createEventReader } = await import('../../store/query/events.ts');
  const { createProgress } = await import('../../output/progress.ts');
  const paths = gatePaths(io.env);
  const withProgress = async <R>(read: (onProgress: Progress['update']) => Promise<R>): Promise<R> => {
    const progress = createProgress({
      ...{ stream: io.stderr, env: io.env, quiet: flags.quiet },
      ...{ what: 'reading the ledgers', delayMs: PROGRESS_AFTER_MS },
    });
    return read(progress.update).finally(progress.clear);
  };
  const index = await withProgress((onProgress) =>
    openIndex(paths, { onRemake: (why) => say(io, flags, `the index is made anew: ${why}`), onProgress }),
  );
  const told = new Set<string>();
  const refresh = async (): Promise<void> => {
    const { unreadable } = await withProgress((onProgress) => index.catchUp({ onProgress }));
    sayUnreadable(
      io,
      flags,
      unreadable.filter(({ run }) => !told.has(run)),
    );
    for (const { run } of unreadable) told.add(run);
    await loadDismissals(paths, index);
  };
  try {
    await refresh();
    return await work({ paths, index, events: createEventReader(index.database), refresh });
  } finally {
    index.close();
  }
}

async function loadDismissals(paths: GatePaths, index: GateIndex): Promise<void> {
  const { readDismissals } = await import('../../policy/dismissals.ts');
  const { syncDismissals } = await import('../../store/query/dismissed.ts');
  const { dismissals, sha256 } = readDismissals(paths.dismissals);
  syncDismissals(index.database, { sha256, entries: dismissals });
}
