import type { RunId } from '../../core/ids.ts';
import { FIRST_PREV } from '../chain.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import type { Position } from './batch.ts';
import { eventRow } from './schema.ts';

/** Where each run stands in the index. */
export interface RunTable {
  all(): RunId[];
  position(run: RunId): Position | undefined;
  /** Adds runs, in the order given, unless they are there. */
  add(runs: readonly RunId[]): void;
  /** Those that may go on: without `run.end`, and not known as cut. */
  unended(): RunId[];
  /** Gives what is open in a run the outcome that no record will give it any more. */
  cut(run: RunId): void;
}

/** Prepares the access to the table `runs`. */
export function createRunTable(database: SqliteDatabase): RunTable {
  const all = database.prepare<[], { run: string }>('SELECT run FROM runs ORDER BY run');
  const position = database.prepare<[string], Position>(
    'SELECT id AS row, folded, lines, head FROM runs WHERE run = ?',
  );
  const unended = database.prepare<[], { run: RunId }>(
    'SELECT run FROM runs WHERE ended IS NULL AND NOT cut',
  );
  const stop = database.prepare(
    `UPDATE events SET outcome = 'gate_stopped' WHERE id BETWEEN ? AND ? AND outcome IS NULL AND kind <> 'refused'`,
  );
  const markCut = database.prepare('UPDATE runs SET cut = 1 WHERE id = ?');
  const add = database.prepare('INSERT OR IGNORE INTO runs (run, head) VALUES (?, ?)');
  return {
    all: () => all.all().map(({ run }) => run),
    position: (run) => position.get(run),
    add(runs) {
      if (runs.length === 0) return;
      database
        .transaction(() => {
          for (const run of runs) add.run(run, FIRST_PREV);
        })
        .immediate();
    },
    unended: () => unended.all().map(({ run }) => run),
    cut(run) {
      database
        .transaction(() => {
          const row = position.get(run)?.row;
          if (row === undefined) return;
          stop.run(eventRow(row, 0), eventRow(row + 1, 0) - 1);
          markCut.run(row);
        })
        .immediate();
    },
  };
}

/**
 * Takes everything out of the index that was folded of a run, and keeps its row as that of a run not yet folded;
 * `gone`: its row too. Does nothing where another process has folded the run since, or forgotten it.
 */
export function forgetRun(
  { database, runs }: { readonly database: SqliteDatabase; readonly runs: RunTable },
  run: RunId,
  found: Position,
  gone = false,
): void {
  const [first, last] = [eventRow(found.row, 0), eventRow(found.row + 1, 0) - 1];
  database
    .transaction(() => {
      const now = runs.position(run);
      if (now?.row !== found.row || now.folded !== found.folded || now.head !== found.head) return;
      database.prepare('DELETE FROM words WHERE rowid BETWEEN ? AND ?').run(first, last);
      for (const table of ['pieces', 'flags', 'spans', 'calls']) {
        database.prepare(`DELETE FROM ${table} WHERE event BETWEEN ? AND ?`).run(first, last);
      }
      database.prepare('DELETE FROM events WHERE id BETWEEN ? AND ?').run(first, last);
      database.prepare('DELETE FROM runs WHERE id = ?').run(found.row);
      if (gone) return;
      database.prepare('INSERT INTO runs (id, run, head) VALUES (?, ?, ?)').run(found.row, run, FIRST_PREV);
    })
    .immediate();
}
