import { inOneState } from '../index/database.ts';
import { MAX_RECORDS } from '../index/schema.ts';
import { severityOf } from '../index/severity.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import { DISMISSED } from './dismissed.ts';
import { type EventRow, type Findings, type ListedEvent, type ListedSecret, listedEvent } from './event.ts';
import type { Sql } from './sql.ts';

const FROM = 'SELECT e.*, r.run AS run_name FROM events e JOIN runs r ON r.id = e.run';
/** The same order in an index that was made anew: nothing here depends on the numbers of rows. */
const NEWEST_FIRST = 'e.at DESC, r.run DESC, e.seq DESC';
const OLDEST_FIRST = 'e.at, r.run, e.seq';

/** Rows at a time: a slow reader (`| less`) must not hold the index in one state. */
const PAGE = 500;

/** Reads events out of an index. */
export interface EventReader {
  /** The newest that match, at most `limit`, oldest of them first. */
  newest(where: Sql, limit: number): ListedEvent[];
  /** All that match, oldest first, as they are asked for. */
  all(where: Sql): IterableIterator<ListedEvent>;
  count(where: Sql): number;
  /** The row of one event, and what was found in it. */
  one(run: string, seq: number): { readonly row: EventRow; readonly event: ListedEvent } | undefined;
  listed(row: EventRow): ListedEvent;
}

/** Makes a reader; its statements are prepared once. */
export function createEventReader(database: SqliteDatabase): EventReader {
  const findingsOf = prepareFindings(database);
  const listed = (row: EventRow): ListedEvent => listedEvent(row, findingsOf(row.id));
  const query = ({ text, values }: Sql, rest: string, ...more: number[]) => ({
    statement: database.prepare<unknown[], EventRow>(`${FROM} WHERE ${text} ${rest}`),
    values: [...values, ...more],
  });
  return {
    listed,
    newest: (where, limit) =>
      inOneState(database, () => {
        const { statement, values } = query(where, `ORDER BY ${NEWEST_FIRST} LIMIT ?`, limit);
        return statement
          .all(...values)
          .reverse()
          .map(listed);
      }),
    *all({ text, values }) {
      const page = `${FROM} WHERE ${text} AND (e.at, r.run, e.seq) > (?, ?, ?) ORDER BY ${OLDEST_FIRST} LIMIT ${PAGE}`;
      let after: readonly [number, string, number] = [-1, '', 0];
      for (;;) {
        const rows = inOneState(database, () =>
          database.prepare<unknown[], EventRow>(page).all(...values, ...after),
        );
        for (const row of rows) yield listed(row);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = [last.at, last.run_name, last.seq];
      }
    },
    count({ text, values }) {
      const counted = `SELECT count(*) AS n FROM events e WHERE ${text}`;
      const row = inOneState(database, () =>
        database.prepare<unknown[], { n: number }>(counted).get(...values),
      );
      return row?.n ?? 0;
    },
    one(run, seq) {
      const row = database
        .prepare<[string, number], EventRow>(
          `${FROM} WHERE r.run = ? AND e.id = r.id * ${MAX_RECORDS} + ? AND e.run = r.id`,
        )
        .get(run, seq);
      return row === undefined ? undefined : { row, event: listed(row) };
    },
  };
}

interface FlagRow {
  readonly code: string;
  readonly severity: number;
  readonly detail: string;
  readonly dismissed: number;
}

function prepareFindings(database: SqliteDatabase): (event: number) => Findings {
  const flags = database.prepare<[number], FlagRow>(
    `SELECT DISTINCT f.code, f.severity, f.detail, ${DISMISSED} AS dismissed FROM flags f
      WHERE f.event = ? ORDER BY f.severity DESC, f.code, f.detail`,
  );
  const secrets = database.prepare<[number], ListedSecret>(
    `SELECT s.kind, s.place AS "where", s.masked, s.fingerprint, sum(s.count) AS count FROM spans s
      WHERE s.event = ? AND s.class = 'secret' GROUP BY s.kind, s.place, s.fingerprint, s.masked ORDER BY 2, 1, 4`,
  );
  const pii = database.prepare<[number, string], { kind: string; count: number }>(
    `SELECT s.kind, sum(s.count) AS count FROM spans s
      WHERE s.event = ? AND s.class = 'pii' AND s.place = ? GROUP BY s.kind ORDER BY s.kind`,
  );
  const analysed = database.prepare<[number]>(
    "SELECT 1 FROM pieces WHERE event = ? AND type = 'analysis' LIMIT 1",
  );
  const kinds = (event: number, side: string): Record<string, number> =>
    Object.fromEntries(pii.all(event, side).map(({ kind, count }) => [kind, count]));
  return (event) => ({
    analysed: analysed.get(event) !== undefined,
    flags: flags.all(event).map(({ code, severity, detail, dismissed }) => ({
      code,
      severity: severityOf(severity),
      detail,
      dismissed: dismissed === 1,
    })),
    secrets: secrets.all(event),
    pii: { request: kinds(event, 'request'), response: kinds(event, 'response') },
  });
}
