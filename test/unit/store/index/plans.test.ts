import { expect, test } from 'vitest';
import { createFolder } from '../../../../src/store/index/fold.ts';
import { SCHEMA } from '../../../../src/store/index/schema.ts';
import { compileFilter } from '../../../../src/store/query/compile.ts';
import { createEventReader } from '../../../../src/store/query/events.ts';
import { createFollower } from '../../../../src/store/query/follow.ts';
import { OPERATORS } from '../../../../src/store/query/operators.ts';
import { sql } from '../../../../src/store/query/sql.ts';
import { openInMemory, type SqliteDatabase } from '../../../../src/store/sqlite.ts';
import { context } from '../query/rows.ts';
import { tempPaths } from '../support.ts';
import { recordTraffic } from './traffic.ts';

/** An index in memory, and the statements that are prepared on it. */
function watched(): { readonly database: SqliteDatabase; readonly statements: readonly string[] } {
  const database = openInMemory();
  database.exec(SCHEMA);
  const statements: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = ((text: string) => {
    statements.push(text);
    return prepare(text);
  }) as typeof database.prepare;
  return { database, statements };
}

/** How SQLite finds the rows: `SEARCH spans USING PRIMARY KEY (event=?)`. */
function stepsOf(statement: string): string[] {
  const database = openInMemory();
  database.exec(SCHEMA);
  // What is bound does not matter to it.
  const plan = database.prepare<[], { detail: string }>(
    `EXPLAIN QUERY PLAN ${statement.replaceAll(/\?|@\w+/g, "''")}`,
  );
  return plan.all().map(({ detail }) => detail);
}

const BY_KEY = /^SEARCH \w+ (?:EXISTS )?USING (?:COVERING )?(?:INTEGER )?PRIMARY KEY \((?:event|rowid)[=>]/;
const DISMISSED = /^SEARCH d USING INDEX dismissals_(?:event|host) /;

/** Steps that read rows of other events than those that are asked for. */
function astray(statement: string): string[] {
  return stepsOf(statement).filter(
    (step) =>
      /^(?:SCAN|SEARCH) (?:events|pieces|flags|spans|calls|[efspd])\b/.test(step) &&
      !BY_KEY.test(step) &&
      !DISMISSED.test(step),
  );
}

test('the fold finds what belongs to an event by its row, however much there is of others', async () => {
  const paths = tempPaths();
  const record = await recordTraffic(paths);
  await record.end({ exitCode: 0 });
  const { database, statements } = watched();
  expect(await createFolder(paths, database).fold()).toMatchObject({ runs: 1, unreadable: [] });
  expect(statements.length).toBeGreaterThan(20);
  expect(statements.flatMap(astray)).toEqual([]);
});

test('a list walks the events from the newest on, and finds what belongs to each by its row', () => {
  const walks = new Set<string>();
  for (const operator of OPERATORS) {
    for (const example of operator.example.split('  ')) {
      const filter = compileFilter(example.replace('K3F9QZ', 'last'), context());
      if ('problem' in filter) throw new Error(`${example}: ${filter.problem.message}`);
      const { database, statements } = watched();
      createEventReader(database).newest(filter.where, 50);
      for (const step of statements.flatMap(astray)) walks.add(step);
    }
  }
  expect([...walks].sort()).toEqual([
    'SCAN e USING INDEX events_at',
    'SEARCH e USING INDEX events_at (at<?)',
    'SEARCH e USING INDEX events_at (at>?)',
    'SEARCH e USING INDEX events_run (run=?)',
  ]);
});

test('one event, and what is new of a run, are found without a look at the others', () => {
  const { database, statements } = watched();
  const reader = createEventReader(database);
  expect(reader.one('01JZZZZZZZZZZZZZZZZZAAAAAA', 3)).toBeUndefined();
  createFollower(database, reader, sql('TRUE'));
  expect(statements.flatMap(astray)).toEqual([]);
});
