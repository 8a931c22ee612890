import { existsSync, rmSync } from 'node:fs';
import { codeOf } from '../../core/errors.ts';
import type { GatePaths } from '../../core/paths.ts';
import { commandLine } from '../../output/printable.ts';
import type { SqliteDatabase } from '../../store/sqlite.ts';
import { type Check, fail, fine, found, type Problem, problemOf, type Repair, warn } from '../check.ts';

const PATIENCE_MS = 500;

/** Can gates lock each other out? `heads.jsonl` and `actions.jsonl` are shared by all of them. */
export const lock: Check = {
  id: 'lock',
  title: 'Lock',
  needs: ['home', 'native-module'],
  outsideOnly: true,
  async run({ paths }) {
    const { lock: file } = paths();
    if (!existsSync(file)) return fine('not there yet: the first run makes it');
    const { openDatabase } = await import('../../store/sqlite.ts');
    try {
      lockOnce(openDatabase(file, { busyTimeoutMs: PATIENCE_MS }));
      return fine(`${file} can be locked`);
    } catch (error) {
      return found([problem(file, error)], '');
    }
  },
};

/** As `withLock` of the store does, but without the journal that comes and goes in the data folder meanwhile. */
function lockOnce(database: SqliteDatabase): void {
  try {
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN IMMEDIATE');
    database.exec('ROLLBACK');
  } finally {
    database.close();
  }
}

function problem(file: string, error: unknown): Problem {
  const code = codeOf(error);
  if (code === 'SQLITE_BUSY')
    return warn(`another gate holds ${file}`, 'wait for it; `gate runs` shows what is running');
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') {
    const message = `${file} is damaged: no run can be started`;
    return fail(message, commandLine(['rm', file]), remove(file));
  }
  return problemOf(error);
}

/** Nobody can hold a lock on a file that is no database, and nothing is kept in it. */
function remove(file: GatePaths['lock']): Repair {
  return {
    what: `remove the damaged ${file}, which holds no data`,
    run: () => rmSync(file, { force: true }),
  };
}
