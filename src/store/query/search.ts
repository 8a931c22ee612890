import { type Words, wordsOf } from '../index/words.ts';
import type { PackReader } from '../pack-reader.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import type { EventRow } from './event.ts';
import type { EventRecords } from './records.ts';
import type { Sql } from './sql.ts';
import { matchQuery, type Phrase } from './words.ts';

/**
 * The newest events that have all phrases in their host, URL, texts or tool calls, newest first, at most `limit`.
 * Rows of the index are in the order of runs and of their events, so nothing is sorted but what is shown.
 */
export function searchEvents(
  database: SqliteDatabase,
  phrases: readonly Phrase[],
  where: Sql,
  limit: number,
): EventRow[] {
  const rows = database
    .prepare<unknown[], EventRow>(
      `SELECT e.*, r.run AS run_name FROM words CROSS JOIN events e ON e.id = words.rowid
        CROSS JOIN runs r ON r.id = e.run
        WHERE words MATCH ? AND ${where.text} ORDER BY words.rowid DESC LIMIT ?`,
    )
    .all(matchQuery(phrases), ...where.values, limit);
  const key = (row: EventRow): [number, string, number] => [row.at, row.run_name, row.seq];
  return rows.sort((a, b) => compare(key(b), key(a)));
}

/** The texts of an event as the index has them, read anew from ledger and pack. */
export async function textsOf(records: EventRecords, pack: PackReader | undefined): Promise<Words> {
  const { first, end, analyses, messages } = records;
  return wordsOf({ first, end, analyses, messages }, { pack, onLost: () => undefined });
}

function compare(a: readonly [number, string, number], b: readonly [number, string, number]): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  return a[2] - b[2];
}
