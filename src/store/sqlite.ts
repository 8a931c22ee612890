import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { sqliteFolder } from '../core/package-root.ts';

/** The only file that names better-sqlite3; everything else takes the type from here. */
export type SqliteDatabase = Database.Database;

export interface OpenDatabaseOptions {
  /** Milliseconds to wait for another process's lock. Default 10 s. */
  readonly busyTimeoutMs?: number;
  readonly readonly?: boolean;
}

/** Opens a database, making the file with mode 0600 where it is missing. Throws what better-sqlite3 throws. */
export function openDatabase(file: string, options: OpenDatabaseOptions = {}): SqliteDatabase {
  const readonly = options.readonly ?? false;
  if (!readonly) closeSync(openSync(file, 'a', 0o600));
  const nativeBinding = binary();
  return new Database(file, { timeout: options.busyTimeoutMs ?? 10_000, readonly, nativeBinding });
}

/** Opens a database in memory: an empty one, or a copy of a file's bytes. Throws what better-sqlite3 throws. */
export function openInMemory(bytes?: Buffer): SqliteDatabase {
  return new Database(bytes ?? ':memory:', { nativeBinding: binary() });
}

/** By its path: left to itself, better-sqlite3 asks other packages to look for it. */
function binary(): string {
  return join(sqliteFolder(), 'build', 'Release', 'better_sqlite3.node');
}
