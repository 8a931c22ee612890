import { existsSync, statSync } from 'node:fs';
import { codeOf, messageOf } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import { type GatePaths, runPaths } from '../../core/paths.ts';
import type { UnreadableRun } from '../readable.ts';
import { runFolders, runStates } from '../runs.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import type { BatchLimits } from './batch.ts';
import { type FoldCounts, foldRun, type Tables } from './fold-run.ts';
import { prepareRows } from './rows.ts';
import { createRunTable, forgetRun } from './run-table.ts';

/** How far a fold has come, in bytes of ledgers. */
export interface FoldProgress {
  readonly done: number;
  readonly total: number;
}

export interface FoldAllOptions {
  readonly limits?: BatchLimits;
  readonly onProgress?: (progress: FoldProgress) => void;
}

/** What a fold did. */
export interface FoldResult extends Readonly<FoldCounts> {
  readonly runs: number;
  readonly unreadable: readonly UnreadableRun[];
}

/** Folds the ledgers of all runs into one database. */
export interface Folder {
  /**
   * Folds what is new, and takes out the runs whose folder is gone. One run that cannot be read, such as one that was
   * made with sudo, is named in the result and keeps nobody from the others. Throws what SQLite and the system throw.
   */
  fold(options?: FoldAllOptions): Promise<FoldResult>;
}

/** Small enough that no other process waits long for its turn. */
const LIMITS: BatchLimits = { bytes: 2 * 1024 * 1024, text: 4 * 1024 * 1024 };

/** What the system says of files that are another user's, of a damaged disk, and of what is no ordinary file. */
const UNREADABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EIO', 'EISDIR', 'ENOTDIR', 'ELOOP']);

/** Makes a folder of ledgers for a database that has the tables. */
export function createFolder(paths: GatePaths, database: SqliteDatabase): Folder {
  const tables: Tables = { database, rows: prepareRows(database), runs: createRunTable(database) };
  /** Ledgers that were folded to their end, and had not changed since: size and time of the last change. */
  const settled = new Map<RunId, string>();

  async function foldNew(
    work: readonly Work[],
    options: FoldAllOptions,
    skip: (run: RunId, error: unknown) => void,
  ): Promise<FoldCounts> {
    const counts: FoldCounts = { records: 0, bytes: 0, damaged: 0, lostBodies: 0 };
    const total = work.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const { run, stamp } of work) {
      const onBytes = (bytes: number): void => {
        done += bytes;
        options.onProgress?.({ done, total: Math.max(total, done) });
      };
      const files = runPaths(paths, run);
      try {
        await foldRun(tables, { run, ...files }, { limits: options.limits ?? LIMITS, counts, onBytes });
        settled.set(run, stamp);
      } catch (error) {
        skip(run, error);
      }
    }
    return counts;
  }

  return {
    async fold(options = {}) {
      const known = tables.runs.all();
      const present = runFolders(paths.runs);
      for (const run of gone(known, present)) {
        const position = tables.runs.position(run);
        if (position !== undefined && !existsSync(runPaths(paths, run).dir)) {
          forgetRun(tables, run, position, true);
        }
        settled.delete(run);
      }
      tables.runs.add(gone(present, known));
      const unreadable: UnreadableRun[] = [];
      const skip = (run: RunId, error: unknown): void => {
        if (!UNREADABLE.has(codeOf(error) ?? '')) throw error;
        unreadable.push({ run, reason: messageOf(error) });
      };
      const work = present.flatMap((run) => {
        try {
          return workOn(paths, tables, run, settled.get(run));
        } catch (error) {
          skip(run, error);
          return [];
        }
      });
      const counts = await foldNew(work, options, skip);
      cutInterrupted(paths, tables);
      const read = work.filter(({ run }) => !unreadable.some((each) => each.run === run));
      return { runs: read.length, ...counts, unreadable };
    },
  };
}

interface Work {
  readonly run: RunId;
  /** Of its ledger that are not folded. */
  readonly bytes: number;
  readonly stamp: string;
}

/** What of a run is to be looked at: nothing where its ledger stands as it stood when it was folded to its end. */
function workOn(paths: GatePaths, { runs }: Tables, run: RunId, settled?: string): Work[] {
  const stat = statSync(runPaths(paths, run).ledger, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const stamp = `${stat.size} ${stat.mtimeMs} ${stat.ino}`;
  if (stamp === settled) return [];
  const folded = runs.position(run)?.folded ?? 0;
  return [{ run, bytes: stat.size < folded ? stat.size : stat.size - folded, stamp }];
}

/** A gate that was killed wrote no end of what was open. Its last records are folded by now. */
function cutInterrupted(paths: GatePaths, { runs }: Tables): void {
  const open = runs.unended();
  if (open.length === 0) return;
  const states = runStates(paths);
  for (const run of open) if (states(run) === 'interrupted') runs.cut(run);
}

function gone(before: readonly RunId[], now: readonly RunId[]): RunId[] {
  const there = new Set(now);
  return before.filter((run) => !there.has(run));
}
