import { dirname } from 'node:path';
import { GateError, messageOf } from '../core/errors.ts';
import { makePrivateDir } from './files.ts';
import { openDatabase, type SqliteDatabase } from './sqlite.ts';

/**
 * Runs `work` while no other process runs its own under the same lock file. The lock is a write transaction of
 * SQLite: the operating system takes it away from a process that dies, so it never goes stale. Blocks; the work
 * should take milliseconds. Throws GateError `locked` when the lock is not to be had within the busy timeout.
 */
export function withLock<T>(file: string, work: () => T, busyTimeoutMs?: number): T {
  makePrivateDir(dirname(file));
  const database = openDatabase(file, busyTimeoutMs === undefined ? {} : { busyTimeoutMs });
  try {
    begin(database, file);
    try {
      return work();
    } finally {
      database.exec('ROLLBACK');
    }
  } finally {
    database.close();
  }
}

function begin(database: SqliteDatabase, file: string): void {
  try {
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    throw new GateError('locked', `cannot lock ${file}: ${messageOf(error)}`, {
      hint: 'Another gate holds it. Wait for it, or end it, and try again',
      cause: error,
    });
  }
}
