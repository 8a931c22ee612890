import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, GateError } from '../../core/errors.ts';
import { newRunId } from '../../core/ids.ts';
import type { GatePaths } from '../../core/paths.ts';
import { makePrivateDir } from '../files.ts';
import { withLock } from '../lock.ts';
import { openDatabase, type SqliteDatabase } from '../sqlite.ts';
import { createTables, explainIndexError, isDamage, openTables, removeDatabase } from './database.ts';
import { createFolder, type FoldProgress, type FoldResult } from './fold.ts';

export interface RebuildOptions {
  readonly onProgress?: (progress: FoldProgress) => void;
}

/** Larger than beside a live index: nobody waits for this one. */
const LIMITS = { bytes: 16 * 1024 * 1024, text: 16 * 1024 * 1024 };
/** How long others may keep the index from being swapped in. */
const SWAP_MS = 60_000;

/**
 * Makes the index anew from the ledgers: in a file beside it, which then becomes its content in one transaction.
 * Runs may record and readers read meanwhile; those that are in the middle of reading see the old one to their end.
 * Throws GateError `index_failed`.
 */
export async function rebuildIndex(paths: GatePaths, options: RebuildOptions = {}): Promise<FoldResult> {
  const fresh = `${paths.index}.new-${process.pid}`;
  try {
    makePrivateDir(dirname(paths.index));
    removeLeftovers(paths.index);
    const database = openPrivate(fresh);
    try {
      const result = await createFolder(paths, database).fold({ limits: LIMITS, ...options });
      await swapIn(paths, database, fresh);
      return result;
    } finally {
      database.close();
      removeDatabase(fresh);
    }
  } catch (error) {
    throw explainIndexError(error, paths.index);
  }
}

/** A database that no other process opens, and that is of no use unless it is finished. */
function openPrivate(file: string): SqliteDatabase {
  removeDatabase(file);
  const database = openDatabase(file);
  database.pragma('journal_mode = OFF');
  database.pragma('synchronous = OFF');
  database.pragma('locking_mode = EXCLUSIVE');
  database.pragma('cache_size = -65536');
  createTables(database);
  return database;
}

/**
 * Copies the new database over the old one, page by page in one transaction of the old one. Never renames it into the
 * place of a database that works: processes that have that one open would go on to use, and at their end remove, the
 * `-wal` file that by then belongs to the new one.
 */
async function swapIn(paths: GatePaths, database: SqliteDatabase, fresh: string): Promise<void> {
  const built = newRunId();
  database.prepare(`INSERT OR REPLACE INTO settings (key, value) VALUES ('built', ?)`).run(built);
  try {
    await copyOver(paths.index, database, built);
  } catch (error) {
    if (!isDamage(error)) throw error;
    database.close();
    replaceDamaged(paths, fresh);
  }
}

async function copyOver(file: string, database: SqliteDatabase, built: string): Promise<void> {
  const old = openTables(file).database;
  try {
    const deadline = performance.now() + SWAP_MS;
    const isIn = (): boolean => builtOf(old) === built;
    while (!isIn()) {
      if (performance.now() > deadline) throw busy(file);
      // All pages in one go: until it is done, nobody else can fold. Gives up at once where another process writes.
      await database.backup(file, { progress: () => 0x7fffffff });
      if (!isIn()) await sleep(20);
    }
    // Or later by another, where somebody still reads the old content.
    old.pragma('busy_timeout = 0');
    old.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    old.close();
  }
}

function builtOf(database: SqliteDatabase): unknown {
  const hasSettings = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'settings'`).get();
  if (hasSettings === undefined) return undefined;
  return database.prepare(`SELECT value FROM settings WHERE key = 'built'`).pluck().get();
}

function busy(file: string): GateError {
  return new GateError('index_failed', `the index ${file} is in use by another gate`, {
    hint: 'Wait for it, or end it, and try again',
  });
}

/** Nobody can work with a damaged file, so it may be replaced; unless another process has done so. */
function replaceDamaged(paths: GatePaths, fresh: string): void {
  withLock(paths.lock, () => {
    try {
      openTables(paths.index).database.close();
    } catch (error) {
      if (!isDamage(error)) throw error;
      for (const suffix of ['-wal', '-shm', '-journal']) removeDatabase(paths.index + suffix);
      renameSync(fresh, paths.index);
    }
  });
}

/** Removes what reindexes left behind that were killed. */
function removeLeftovers(index: string): void {
  const prefix = `${basename(index)}.new-`;
  for (const name of readdirSync(dirname(index))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (!isAlive(pid)) rmSync(join(dirname(index), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
