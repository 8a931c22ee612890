import { messageOf } from '../../core/errors.ts';
import { commandLine } from '../../output/printable.ts';
import { type Check, fail, fine, found } from '../check.ts';

/** Does better-sqlite3 load, and can it open a database? Locks and the index stand on it. */
export const nativeModule: Check = {
  id: 'native-module',
  title: 'Native module',
  async run({ root }) {
    try {
      const { openInMemory } = await import('../../store/sqlite.ts');
      const database = openInMemory();
      const version = database.prepare('SELECT sqlite_version()').pluck().get();
      database.close();
      return fine(`better-sqlite3 with SQLite ${String(version)}`);
    } catch (error) {
      // Of a binary for another Node, the message is a paragraph with advice for its developers.
      const [first = ''] = messageOf(error).split('\n');
      const message = `better-sqlite3 does not load, so no run can be recorded: ${first}`;
      return found([fail(message, `${commandLine(['cd', root()])} && npm rebuild better-sqlite3`)], '');
    }
  },
};
