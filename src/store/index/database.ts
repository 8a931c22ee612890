import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, GateError, messageOf } from '../../core/errors.ts';
import { makePrivateDir } from '../files.ts';
import { openDatabase, type SqliteDatabase } from '../sqlite.ts';
import { INDEX_VERSION, SCHEMA } from './schema.ts';

/** Longer than it takes to swap in an index of gigabytes. */
const BUSY_MS = 60_000;

/**
 * Opens the index file and makes its tables where there are none. `version` is INDEX_VERSION, unless another gate
 * made the file: then its tables must not be used. Throws what SQLite throws; see `isDamage`.
 */
export function openTables(file: string): { database: SqliteDatabase; version: number } {
  makePrivateDir(dirname(file));
  const database = openDatabase(file, { busyTimeoutMs: BUSY_MS });
  try {
    // Readers go on while another process writes.
    database.pragma('journal_mode = WAL');
    // What a power cut takes away is folded again.
    database.pragma('synchronous = NORMAL');
    database.pragma('journal_size_limit = 16777216');
    return { database, version: createTables(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes the tables in an empty file; of several processes one does. Gives the version that the file has then. */
export function createTables(database: SqliteDatabase): number {
  const version = versionOf(database);
  if (version !== 0) return version;
  return database
    .transaction(() => {
      const found = versionOf(database);
      if (found !== 0) return found;
      database.exec(SCHEMA);
      database.pragma(`user_version = ${INDEX_VERSION}`);
      return INDEX_VERSION;
    })
    .immediate();
}

function versionOf(database: SqliteDatabase): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/**
 * Runs work that sees one state of the database from its beginning on: of statements, too, which are prepared by what
 * the database is made of. While another process puts a new index in its place, a table of words cannot be opened.
 */
export function inOneState<Result>(database: SqliteDatabase, work: () => Result): Result {
  const begun = database.transaction(() => {
    // A transaction has no state before something is read.
    database.pragma('schema_version');
    return work();
  });
  return begun.deferred();
}

/** Whether the error says that the file's content is not what SQLite wrote. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:NOTADB|CORRUPT)/.test(codeOf(error) ?? '');
}

/** Removes a database with the files that SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

/** What was thrown while the index was used, for the person; an error of neither SQLite nor the system stays as it is. */
export function explainIndexError(error: unknown, file: string): unknown {
  const code = codeOf(error) ?? '';
  if (error instanceof GateError || !/^(?:SQLITE_|E[A-Z]+$)/.test(code)) return error;
  const make = (message: string, hint: string) =>
    new GateError('index_failed', message, { hint, cause: error });
  if (isDamage(error)) return make(`the index ${file} is damaged`, 'gate reindex');
  if (/^(?:SQLITE_BUSY|SQLITE_LOCKED)/.test(code)) {
    return make(`the index ${file} is in use by another gate`, 'Wait for it, or end it, and try again');
  }
  if (/^(?:SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS)/.test(code)) {
    return make(
      `the index ${file} cannot be written: ${messageOf(error)}`,
      `Make ${dirname(file)} and the files in it writable for this user; the ledgers are not affected`,
    );
  }
  if (/^(?:SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return make(`no space is left to write the index ${file}`, 'Free some; gate prune removes old runs');
  }
  return make(`the index ${file} cannot be used: ${messageOf(error)}`, 'gate reindex');
}
