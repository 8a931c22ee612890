import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, GateError, messageOf } from '../core/errors.ts';
import { sqliteFolder } from '../core/package-root.ts';
import { shellWord } from '../core/shell.ts';

/** The only file that names better-sqlite3; everything else takes the type from here. */
export type SqliteDatabase = Database.Database;

export interface OpenDatabaseOptions {
  /** Milliseconds to wait for another process's lock. Default 10 s. */
  readonly busyTimeoutMs?: number;
  readonly readonly?: boolean;
}

/**
 * Opens a database, making the file with mode 0600 where it is missing. Throws what better-sqlite3 throws, and GateError
 * `broken_install` (exit code 125) where its binary does not load.
 */
export function openDatabase(file: string, options: OpenDatabaseOptions = {}): SqliteDatabase {
  const readonly = options.readonly ?? false;
  if (!readonly) closeSync(openSync(file, 'a', 0o600));
  return connect(file, { timeout: options.busyTimeoutMs ?? 10_000, readonly });
}

/** Opens a database in memory: an empty one, or a copy of a file's bytes. Throws as `openDatabase`. */
export function openInMemory(bytes?: Buffer): SqliteDatabase {
  return connect(bytes ?? ':memory:', {});
}

function connect(file: string | Buffer, options: Database.Options): SqliteDatabase {
  const folder = sqliteFolder();
  // By its path: left to itself, better-sqlite3 asks other packages to look for it.
  const nativeBinding = join(folder, 'build', 'Release', 'better_sqlite3.node');
  if (isFatal(process.versions.node, nativeBinding)) throw fatal(folder);
  try {
    return new Database(file, { ...options, nativeBinding });
  } catch (error) {
    throw isUnloadable(error) ? unloadable(folder, error) : error;
  }
}

/** Node's codes for a binary that is not there, and for one that the system or this Node does not take. */
function isUnloadable(error: unknown): boolean {
  return ['MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(codeOf(error) ?? '');
}

/**
 * Whether a binary ends the process sooner or later: built with the headers of Node 24.19 or later, its objects take
 * back a hook when they are collected, at times at which Node 24 does not allow it (nodejs/node issue 65446). Binaries
 * built with older headers do not know of the hook, and run well on any Node 24.
 */
export function isFatal(node: string, binary: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major !== 24 || minor < 19) return false;
  try {
    return readFileSync(binary).includes('RemoveEnvironmentCleanupHook');
  } catch {
    // That it is not there, or cannot be read, is told by what loads it.
    return false;
  }
}

function fatal(folder: string): GateError {
  const message = `better-sqlite3 was built in a way that ends this Node (${process.version}) at any time`;
  return new GateError('broken_install', message, {
    hint: `use Node 22, or build it with the headers of an older Node 24: npm_config_target=24.18.0 ${installAgain(folder)}`,
  });
}

/** Its own build, since `npm rebuild` sees only the packages of the folder it is called in. */
function installAgain(folder: string): string {
  return `npm --prefix ${shellWord(realpathSync(folder))} run install`;
}

/** As after an update of Node: a binary is built for one version of its interface. */
function unloadable(folder: string, cause: unknown): GateError {
  const [first = ''] = messageOf(cause).split('\n');
  const reason = messageOf(cause).includes('NODE_MODULE_VERSION')
    ? `it was built for another version of Node than ${process.version}`
    : first;
  return new GateError('broken_install', `better-sqlite3 does not load: ${reason}`, {
    hint: installAgain(folder),
    cause,
  });
}
