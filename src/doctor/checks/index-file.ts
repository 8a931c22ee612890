import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { type GatePaths, runPaths } from '../../core/paths.ts';
import type { SqliteDatabase } from '../../store/sqlite.ts';
import { type Check, fail, fine, found, type Outcome, type Problem, type Repair, warn } from '../check.ts';

const MiB = 1024 * 1024;
/** Larger ones are judged by their header: reading them through takes longer than all other checks. */
const LOOK_INTO = 64 * MiB;
const MAGIC = 'SQLite format 3\0';

/** Is the index one that this gate made, whole, and where does it stand? */
export const index: Check = {
  id: 'index',
  title: 'Index',
  needs: ['home', 'native-module'],
  outsideOnly: true,
  limitMs: 20_000,
  async run({ paths }) {
    const all = paths();
    const size = sizeOf(all.index);
    if (size === 0) return fine('not made yet: whatever reads (`gate events`) makes it');
    // What a copy of the main file shows is the whole truth only where nothing waits beside it.
    if (sizeOf(`${all.index}-wal`) > 0) return fine(`${all.index} is in use`);
    const bytes = size <= LOOK_INTO ? readFileSync(all.index) : undefined;
    const problem = await headerProblem(all, bytes ?? readHeader(all.index));
    if (problem !== undefined) return found([problem], '');
    if (bytes === undefined) return fine(`${Math.round(size / MiB)} MiB, of this version; not read through`);
    return lookInto(all, bytes);
  },
};

/** Fields of the header, from https://www.sqlite.org/fileformat2.html#the_database_header. */
async function headerProblem(paths: GatePaths, bytes: Buffer): Promise<Problem | undefined> {
  const { INDEX_VERSION } = await import('../../store/index/schema.ts');
  if (bytes.length < 100 || bytes.toString('latin1', 0, 16) !== MAGIC) return damaged(paths);
  const version = bytes.readUInt32BE(60);
  if (version === INDEX_VERSION) return undefined;
  const message = `${paths.index} was made by another version of gate (${version}, this is ${INDEX_VERSION}): it will be made anew`;
  return warn(message, 'gate reindex', reindex(paths));
}

function damaged(paths: GatePaths): Problem {
  const message = `${paths.index} is damaged: reading is slow until it is made anew; the ledgers are not affected`;
  return fail(message, 'gate reindex', reindex(paths));
}

/**
 * Looks into a copy in memory: to open the file itself, even for reading, SQLite would make files beside it.
 */
async function lookInto(paths: GatePaths, bytes: Buffer): Promise<Outcome> {
  const { openInMemory } = await import('../../store/sqlite.ts');
  // Write and read version 1: a database in memory has no write-ahead log.
  bytes.fill(1, 18, 20);
  let database: SqliteDatabase | undefined;
  try {
    database = openInMemory(bytes);
    const answer = database.pragma('quick_check(1)', { simple: true });
    if (answer !== 'ok') return found([damaged(paths)], '');
    return fine(standing(paths, database));
  } catch {
    return found([damaged(paths)], '');
  } finally {
    database?.close();
  }
}

/** How much of the ledgers is in the index. Whatever reads brings it up to date first, so that this is no problem. */
function standing(paths: GatePaths, database: SqliteDatabase): string {
  const rows = database.prepare<[], { run: string; folded: number }>('SELECT run, folded FROM runs').all();
  const behind = rows.filter(({ run, folded }) => sizeOf(runPaths(paths, run).ledger) > folded);
  const runs = `${rows.length} run${rows.length === 1 ? '' : 's'}`;
  return behind.length === 0
    ? `${runs}, all of each`
    : `${runs}, ${behind.length} to be read further by whatever reads next`;
}

function reindex(paths: GatePaths): Repair {
  return {
    what: 'make the index anew from the ledgers',
    run: async () => {
      const { rebuildIndex } = await import('../../store/index/rebuild.ts');
      await rebuildIndex(paths);
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(100);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, header);
    return header;
  } finally {
    closeSync(fd);
  }
}
