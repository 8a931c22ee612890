import type { RunId } from '../../core/ids.ts';
import { lineHash } from '../chain.ts';
import { openPackIfThere, type PackReader } from '../pack-reader.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import { applyRecord } from './apply.ts';
import { type Batch, type BatchLimits, type Position, readBatch } from './batch.ts';
import { type LineSource, openLines } from './line-at.ts';
import type { Rows } from './rows.ts';
import { forgetRun, type RunTable } from './run-table.ts';
import { gatherWords, type NewWords } from './texts.ts';

/** What folding needs of the database. */
export interface Tables {
  readonly database: SqliteDatabase;
  readonly rows: Rows;
  readonly runs: RunTable;
}

export interface RunToFold {
  readonly run: RunId;
  readonly ledger: string;
  readonly pack: string;
}

/** What a fold came upon. */
export interface FoldCounts {
  records: number;
  bytes: number;
  /** Lines that could not be read. */
  damaged: number;
  /** Bodies whose text could not be read; counted again where their event is folded again. */
  lostBodies: number;
}

export interface FoldOptions {
  readonly limits: BatchLimits;
  readonly counts: FoldCounts;
  /** Told after each transaction how many more bytes of ledgers are folded. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Folds a run up to where its ledger ends now; what a writer adds meanwhile is for the next time. Other processes may
 * fold the same run: the place where it goes on is looked at again in each transaction, and what was read for
 * another place is read anew. Throws what SQLite and the system throw.
 */
export async function foldRun(tables: Tables, files: RunToFold, options: FoldOptions): Promise<void> {
  const lines = openLines(files.ledger);
  if (lines === undefined) return;
  const pack = createLazyPack(files.pack);
  try {
    const until = lines.size();
    for (;;) {
      const from = tables.runs.position(files.run);
      // Another process has found the run's folder gone.
      if (from === undefined) return;
      if (!continues(lines, from)) {
        forgetRun(tables, files.run, from);
        continue;
      }
      if (from.folded >= until) return;
      const batch = await readBatch(files, from, options.limits);
      if (batch.next.folded === from.folded) return;
      const lost = { bodies: 0 };
      const source = { pack: await pack.open(), onLost: () => (lost.bodies += 1) };
      const words = batch.touched.size === 0 ? [] : await gatherWords(tables.database, batch, lines, source);
      if (!write(tables, files.run, from, batch, words)) continue;
      const bytes = batch.next.folded - from.folded;
      options.counts.records += batch.records.length;
      options.counts.bytes += bytes;
      options.counts.damaged += batch.damaged;
      options.counts.lostBodies += lost.bodies;
      options.onBytes?.(bytes);
    }
  } finally {
    lines.close();
    await pack.close();
  }
}

/** Whether the ledger still begins with what is folded of it. */
function continues(lines: LineSource, { folded, head }: Position): boolean {
  if (folded === 0) return true;
  const last = lines.lineBefore(folded);
  return last !== undefined && lineHash(last) === head;
}

/** False where another process was quicker. */
function write(
  { database, rows, runs }: Tables,
  run: RunId,
  from: Position,
  batch: Batch,
  words: readonly NewWords[],
): boolean {
  return database
    .transaction(() => {
      const now = runs.position(run);
      if (now?.row !== from.row || now.folded !== from.folded || now.head !== from.head) return false;
      for (const { record, at, index } of batch.records) {
        applyRecord({ rows, run: { row: from.row, id: run }, record, at, index });
      }
      for (const { event, isKnown, host, url, text, tools } of words) {
        if (isKnown) rows.noWords.run(event);
        rows.words.run(event, host, url, text, tools);
      }
      const { folded, lines, head } = batch.next;
      rows.folded.run(folded, lines, head, batch.damaged, from.row);
      return true;
    })
    .immediate();
}

/** Opens the pack when the first text is wanted; a run may have none, or one that cannot be read. */
function createLazyPack(file: string): { open(): Promise<PackReader | undefined>; close(): Promise<void> } {
  let opened: Promise<PackReader | undefined> | undefined;
  return {
    open() {
      opened ??= openPackIfThere(file, { blocking: true });
      return opened;
    },
    close: async () => (await opened)?.close(),
  };
}
