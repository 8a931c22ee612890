import { inOneState } from '../index/database.ts';
import { eventRow, MAX_RECORDS } from '../index/schema.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import type { EventRow, ListedEvent } from './event.ts';
import type { EventReader } from './events.ts';
import type { Sql } from './sql.ts';

/** An event of which something new is in the index. */
export interface News {
  readonly event: ListedEvent;
  /** It has ended since the last look; else only its analysis is new. */
  readonly ended: boolean;
}

/** Follows an index that is folded on: what came since the last look. */
export interface Follower {
  /** Events that ended or were analysed since, in the order of their beginning. The first look is at the start. */
  news(): News[];
}

interface RunRow {
  readonly id: number;
  readonly run: string;
  readonly folded: number;
}

/** Makes a follower that begins with what is not in the index yet. */
export function createFollower(database: SqliteDatabase, events: EventReader, where: Sql): Follower {
  const runs = database.prepare<[], RunRow>('SELECT id, run, folded FROM runs ORDER BY run');
  const changed = inOneState(database, () =>
    database.prepare<unknown[], EventRow & { readonly ended: number }>(
      `SELECT e.*, r.run AS run_name, coalesce(${END} >= ?, FALSE) AS ended
        FROM events e JOIN runs r ON r.id = e.run
        WHERE e.id BETWEEN ? AND ? AND (${END} >= ? OR e.id IN (SELECT event FROM pieces
          WHERE event BETWEEN ? AND ? AND type = 'analysis' AND at >= ?)) AND ${where.text}
        ORDER BY e.at, e.seq`,
    ),
  );
  // By name: the rows of an index that was made anew have other numbers.
  const marks = new Map(runs.all().map(({ run, folded }) => [run, folded]));

  function newsOf({ id, run, folded }: RunRow): News[] {
    // A ledger that was folded from its start again has been shown before.
    const mark = Math.min(marks.get(run) ?? 0, folded);
    marks.set(run, folded);
    if (mark === folded) return [];
    const [first, last] = [eventRow(id, 0), eventRow(id, MAX_RECORDS - 1)];
    const rows = changed.all(mark, first, last, mark, first, last, mark, ...where.values);
    return rows.map((row) => ({ event: events.listed(row), ended: row.ended === 1 }));
  }

  return { news: () => inOneState(database, () => runs.all().flatMap(newsOf)) };
}

/** Where the record stands that ended an event: of a refusal, its only one. */
const END = "CASE e.kind WHEN 'refused' THEN e.request_at ELSE e.end_at END";
