import { type Check, fine, found, problemOf } from '../check.ts';

/** Does better-sqlite3 load, and can it open a database? Locks and the index stand on it. */
export const nativeModule: Check = {
  id: 'native-module',
  title: 'Native module',
  async run() {
    try {
      const { openInMemory } = await import('../../store/sqlite.ts');
      const database = openInMemory();
      const version = database.prepare('SELECT sqlite_version()').pluck().get();
      database.close();
      return fine(`better-sqlite3 with SQLite ${String(version)}`);
    } catch (error) {
      return found([problemOf(error)], '');
    }
  },
};
