import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { GatePaths } from '../../../../src/core/paths.ts';
import { type GateIndex, openIndex } from '../../../../src/store/index/open.ts';
import { rebuildIndex } from '../../../../src/store/index/rebuild.ts';
import { openDatabase } from '../../../../src/store/sqlite.ts';
import { skipBecause } from '../../../helpers/skips.ts';
import { tempPaths } from '../support.ts';
import { dump } from './support.ts';
import { recordTraffic } from './traffic.ts';

let paths: GatePaths;
let told: string[];

beforeEach(async () => {
  paths = tempPaths();
  told = [];
  const record = await recordTraffic(paths);
  await record.end({ exitCode: 0 });
});

const open = () => openIndex(paths, { onRemake: (why) => told.push(why) });

async function filled(): Promise<GateIndex> {
  const index = await open();
  await index.catchUp();
  return index;
}

async function whole(): Promise<ReturnType<typeof dump>> {
  const index = await filled();
  const found = dump(index.database);
  index.close();
  return found;
}

test('the index is made where it is missing, for this user alone', async () => {
  const found = await whole();
  expect(found['events']?.length).toBeGreaterThan(5);
  expect(statSync(paths.index).mode & 0o777).toBe(0o600);
  expect(told).toEqual([]);
});

describe('an index that cannot be used is made anew, and that is told', () => {
  test('one of another version', async () => {
    const before = await whole();
    const database = openDatabase(paths.index);
    database.exec('DROP TABLE flags; CREATE TABLE other (x)');
    database.pragma('user_version = 99');
    database.close();
    expect(await whole()).toEqual(before);
    expect(told).toEqual(['it was made by another version of gate']);
  });

  test.each([
    ['no database', () => writeFileSync(paths.index, 'this is no database '.repeat(1000))],
    ['a cut one', () => truncateSync(paths.index, 6000)],
    [
      'one with overwritten pages',
      () => {
        const bytes = readFileSync(paths.index);
        writeFileSync(paths.index, bytes.fill(0xaa, 4096));
      },
    ],
  ])('%s', async (_, damage) => {
    const before = await whole();
    damage();
    expect(await whole()).toEqual(before);
    expect(told).toEqual(['it is damaged']);
  });
});

describe('made anew', () => {
  // promise: reindex
  test('it shows in the connections that are open, and a reader in the middle keeps what it had', async () => {
    const index = await filled();
    const other = await filled();
    index.database.exec(`DELETE FROM events WHERE kind = 'tunnel'`);
    const count = (of: GateIndex) => of.database.prepare('SELECT count(*) FROM events').pluck().get();
    const before = Number(count(other));
    other.database.exec('BEGIN');
    expect(count(other)).toBe(before);
    await rebuildIndex(paths);
    expect(count(other)).toBe(before);
    other.database.exec('COMMIT');
    expect(count(other)).toBe(before + 2);
    expect(count(index)).toBe(before + 2);
    const record = await recordTraffic(paths);
    await Promise.all([index.catchUp(), other.catchUp()]);
    expect(count(index)).toBe(count(other));
    index.close();
    other.close();
    await record.end({});
  });

  test('what a killed one left behind is removed by the next', async () => {
    const dead = `${paths.index}.new-4194304`;
    const own = `${paths.index}.new-1`;
    for (const file of [dead, own]) writeFileSync(file, 'left');
    await rebuildIndex(paths);
    expect(existsSync(dead)).toBe(false);
    // Of a process that lives.
    expect(existsSync(own)).toBe(true);
    const files = readdirSync(dirname(paths.index)).filter((name) => name.startsWith('index.sqlite.new'));
    expect(files).toEqual(['index.sqlite.new-1']);
  });
});

test(
  'a folder that cannot be written is told, with the next step',
  skipBecause(process.getuid?.() === 0 && 'root can write in any folder'),
  async () => {
    (await filled()).close();
    const data = dirname(paths.index);
    chmodSync(paths.index, 0o400);
    chmodSync(data, 0o500);
    try {
      await expect(open()).rejects.toMatchObject({
        code: 'index_failed',
        hint: expect.stringContaining('writable'),
      });
    } finally {
      chmodSync(data, 0o700);
    }
  },
);

test('a folder in the place of the index is told, with the next step', async () => {
  mkdirSync(paths.index);
  await expect(open()).rejects.toMatchObject({ code: 'index_failed', hint: expect.any(String) });
});

test('what reads sees one state from its beginning on, whatever another process makes of the file', async () => {
  const index = await filled();
  const other = openDatabase(paths.index);
  const tables = () => index.database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  const before = tables();
  index.read(() => {
    other.exec('CREATE TABLE meanwhile (x)');
    expect(tables()).toBe(before);
  });
  expect(tables()).toBe(Number(before) + 1);
  other.close();
  index.close();
});
