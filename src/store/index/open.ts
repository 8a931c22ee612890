import type { GatePaths } from '../../core/paths.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import { explainIndexError, inOneState, isDamage, openTables } from './database.ts';
import {
  createFolder,
  type FoldAllOptions,
  type Folder,
  type FoldProgress,
  type FoldResult,
} from './fold.ts';
import { type RebuildOptions, rebuildIndex } from './rebuild.ts';
import { INDEX_VERSION } from './schema.ts';

/** The index, open for reading and folding. */
export interface GateIndex {
  /** For `prepare`: its tables are those of schema.ts. Only the fold writes to them, but for `dismissals` and `settings`. */
  readonly database: SqliteDatabase;
  /** Folds what the ledgers have and the index has not. Throws GateError `index_failed`. */
  catchUp(options?: FoldAllOptions): Promise<FoldResult>;
  /** Runs queries that see one state of the index, whatever is folded meanwhile. Throws GateError `index_failed`. */
  read<Result>(queries: (database: SqliteDatabase) => Result): Result;
  close(): void;
}

export interface OpenIndexOptions {
  /** Told, as half a sentence, why the index is made anew: of another version, or damaged. */
  readonly onRemake?: (why: string) => void;
  /** Told how far that has come. */
  readonly onProgress?: (progress: FoldProgress) => void;
}

/**
 * Opens the index, mode 0600, and makes it where it is missing. One that is damaged or of another version is made
 * anew from the ledgers. Throws GateError `index_failed` with the next step, also where it cannot be written.
 */
export async function openIndex(paths: GatePaths, options: OpenIndexOptions = {}): Promise<GateIndex> {
  const explained = (error: unknown): never => {
    throw explainIndexError(error, paths.index);
  };
  const remake = async (why: string, { onProgress }: RebuildOptions): Promise<void> => {
    options.onRemake?.(why);
    await rebuildIndex(paths, onProgress === undefined ? {} : { onProgress });
  };
  const database = await openOrRemake(paths, (why) => remake(why, options)).catch(explained);
  const makeFolder = (): Folder => {
    try {
      return inOneState(database, () => createFolder(paths, database));
    } catch (error) {
      return explained(error);
    }
  };
  let folder = makeFolder();
  return {
    database,
    async catchUp(fold = {}) {
      try {
        return await folder.fold(fold);
      } catch (error) {
        if (!isDamage(error)) return explained(error);
      }
      // The new content comes into the same file, under this connection.
      await remake('it is damaged', fold);
      folder = makeFolder();
      return folder.fold(fold).catch(explained);
    },
    read(queries) {
      try {
        return inOneState(database, () => queries(database));
      } catch (error) {
        return explained(error);
      }
    },
    close: () => database.close(),
  };
}

async function openOrRemake(
  paths: GatePaths,
  remake: (why: string) => Promise<void>,
): Promise<SqliteDatabase> {
  const opened = openUnlessDamaged(paths);
  if (opened?.version === INDEX_VERSION) return opened.database;
  opened?.database.close();
  await remake(opened === undefined ? 'it is damaged' : 'it was made by another version of gate');
  return openTables(paths.index).database;
}

function openUnlessDamaged(paths: GatePaths): ReturnType<typeof openTables> | undefined {
  try {
    return openTables(paths.index);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
