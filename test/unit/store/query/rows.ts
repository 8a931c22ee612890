import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventRow, SCHEMA } from '../../../../src/store/index/schema.ts';
import { compileFilter } from '../../../../src/store/query/compile.ts';
import { openDatabase, type SqliteDatabase } from '../../../../src/store/sqlite.ts';

/** The moment at which the filters of tests are asked: 12:00 of the local clock. */
export const NOW = new Date(2026, 0, 31, 12, 0, 0);

export const RUNS = ['01JZZZZZZZZZZZZZZZZZAAAAAA', '01JZZZZZZZZZZZZZZZZZBBBBBB'] as const;

type Row = Readonly<Record<string, string | number | null>>;

/** An index in a temporary file, to which tests add rows. */
export interface TestIndex {
  readonly database: SqliteDatabase;
  /** Adds an event of a run (1 or 2); returns its row id. */
  event(row: Row & { readonly seq: number }, run?: 1 | 2): number;
  flag(event: number, code: string, severity: number, host?: string): void;
  span(event: number, row: Row): void;
  words(event: number, row: Row): void;
  /** The seqs that a filter finds, in order; the problem's message where it has one. */
  find(text: string): number[] | string;
  remove(): void;
}

export const KINDS = { secret: ['github_pat', 'anthropic_api_key'], pii: ['email', 'phone'] };

export function testIndex(): TestIndex {
  const dir = mkdtempSync(join(tmpdir(), 'gate-index-'));
  const database = openDatabase(join(dir, 'index.sqlite'));
  database.exec(SCHEMA);
  for (const run of RUNS) insert(database, 'runs', { run, head: '' });
  return {
    database,
    event(row, run = 1) {
      const id = eventRow(run, row.seq);
      const usual = {
        kind: 'exchange',
        at: NOW.getTime(),
        method: 'GET',
        verdict: 'forward',
        outcome: 'complete',
      };
      insert(database, 'events', { ...usual, ...row, id, run });
      return id;
    },
    flag(event, code, severity, host = '') {
      insert(database, 'flags', { event, n: 0, code, host, severity, detail: `why ${code}` });
    },
    span(event, row) {
      insert(database, 'spans', { event, n: 0, count: 1, place: 'request.body', ...row });
    },
    words(event, row) {
      insert(database, 'words', { ...row, rowid: event });
    },
    find(text) {
      const compiled = compileFilter(text, context());
      if ('problem' in compiled) return compiled.problem.message;
      const { text: where, values } = compiled.where;
      return database
        .prepare<unknown[], { seq: number }>(`SELECT e.seq FROM events e WHERE ${where} ORDER BY e.id`)
        .all(...values)
        .map(({ seq }) => seq);
    },
    remove() {
      database.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What filters of tests are compiled with. */
export function context() {
  return {
    now: NOW,
    kinds: KINDS,
    findRun: (name: string) => {
      const run = name === 'last' ? RUNS[1] : RUNS.find((each) => each.endsWith(name.toUpperCase()));
      if (run === undefined) throw new Error(`no run '${name}'`);
      return run;
    },
  };
}

function insert(database: SqliteDatabase, table: string, row: Row): void {
  const names = Object.keys(row);
  const marks = names.map(() => '?').join(', ');
  database.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...Object.values(row));
}
