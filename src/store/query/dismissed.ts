import { eventRow, MAX_RECORDS } from '../index/schema.ts';
import type { SqliteDatabase } from '../sqlite.ts';

/** Whether the flag `f` was dismissed: on its exchange, or on all of its host. */
export const DISMISSED = `EXISTS (SELECT 1 FROM dismissals d WHERE
  (d.event = f.event AND (d.code IS NULL OR d.code = f.code)) OR (d.host = f.host AND d.code = f.code))`;

/** One entry of dismissals.json, as the index needs it. */
export interface DismissalFacts {
  /** `<RUN>:<seq>` of one exchange, or a host. */
  readonly exchange?: string | undefined;
  readonly host?: string | undefined;
  /** Absent: every flag of the exchange. */
  readonly code?: string | undefined;
}

const KEY = 'dismissals';

/**
 * Brings the table `dismissals` to what the file says, when its hash (or what runs are known) is not that of the
 * last time. Throws what SQLite throws.
 */
export function syncDismissals(
  database: SqliteDatabase,
  file: { readonly sha256: string; readonly entries: readonly DismissalFacts[] },
): void {
  const state = (): string => {
    const newest = database.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM runs').get();
    return `${file.sha256}:${newest?.id ?? 0}`;
  };
  const known = () =>
    database.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?').get(KEY)?.value;
  if (known() === state()) return;
  database
    .transaction(() => {
      database.prepare('DELETE FROM dismissals').run();
      const add = database.prepare(
        'INSERT OR REPLACE INTO dismissals (id, event, host, code) VALUES (?, ?, ?, ?)',
      );
      for (const entry of file.entries) insert(database, entry, (...row) => add.run(...row));
      database.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)').run(KEY, state());
    })
    .immediate();
}

type Row = [id: string, event: number | null, host: string | null, code: string | null];

function insert(database: SqliteDatabase, entry: DismissalFacts, add: (...row: Row) => void): void {
  const { exchange, host, code } = entry;
  const id = JSON.stringify([exchange ?? null, host ?? null, code ?? null]);
  if (exchange === undefined) {
    add(id, null, host ?? null, code ?? null);
    return;
  }
  const [run = '', seq = ''] = exchange.split(':');
  const row = database.prepare<[string], { id: number }>('SELECT id FROM runs WHERE run = ?').get(run);
  // Of a run that was removed, or of no record: nothing to be silent about.
  if (row === undefined || Number(seq) >= MAX_RECORDS) return;
  add(id, eventRow(row.id, Number(seq)), null, code ?? null);
}
