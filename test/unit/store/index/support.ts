import { openTables } from '../../../../src/store/index/database.ts';
import type { SqliteDatabase } from '../../../../src/store/sqlite.ts';

type Row = Readonly<Record<string, unknown>>;

/** Everything of an index that comes from the ledgers, by what it says and not by its row numbers. */
export function dumpIndex(file: string): Record<string, Row[]> {
  const { database } = openTables(file);
  try {
    return dump(database);
  } finally {
    database.close();
  }
}

const EVENT = `(SELECT r.run || ':' || e.seq FROM events e JOIN runs r ON r.id = e.run WHERE e.id = t.event)`;

export function dump(database: SqliteDatabase): Record<string, Row[]> {
  database.exec('CREATE VIRTUAL TABLE IF NOT EXISTS temp.found USING fts5vocab(main, words, instance)');
  const rows = (sql: string): Row[] => database.prepare<[], Row>(sql).all();
  const pieces = ['pieces', 'flags', 'spans', 'calls'].map((table) => [
    table,
    rows(`SELECT ${EVENT} AS of, t.* FROM ${table} t`).map(({ event: _, ...row }) => row),
  ]);
  const found: Record<string, Row[]> = {
    ...(Object.fromEntries(pieces) as Record<string, Row[]>),
    runs: rows('SELECT * FROM runs').map(({ id: _, ...row }) => row),
    events: rows('SELECT r.run AS of, e.* FROM events e JOIN runs r ON r.id = e.run').map(
      ({ id: _, run: __, ...row }) => row,
    ),
    words: rows(`SELECT ${EVENT} AS of, term, col, offset FROM (SELECT doc AS event, * FROM temp.found) t`),
  };
  for (const table of Object.values(found)) table.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return found;
}

function sortKey(row: Row): string {
  return JSON.stringify(row);
}

/** Ids `<run>:<seq>` of the events that have the words. */
export function search(database: SqliteDatabase, words: string): unknown[] {
  return database
    .prepare(
      `SELECT r.run || ':' || e.seq FROM words JOIN events e ON e.id = words.rowid JOIN runs r ON r.id = e.run
       WHERE words MATCH ? ORDER BY words.rowid DESC`,
    )
    .pluck()
    .all(words);
}
