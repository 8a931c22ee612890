import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type GatePaths, gatePaths } from '../../src/core/paths.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { dumpIndex } from '../unit/store/index/support.ts';
import { recordTraffic } from '../unit/store/index/traffic.ts';

let home: TestHome;
let paths: GatePaths;

beforeEach(() => {
  home = testHome();
  paths = gatePaths(home.env);
});
afterEach(() => home.remove());

// promise: reindex
test('gate reindex makes the same index from nothing, also while a run records', async () => {
  const ended = await recordTraffic(paths);
  await ended.end({ exitCode: 0 });
  const open = await recordTraffic(paths);
  const first = await home.gate(['reindex', '--json']);
  expect(first).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/^gate: indexed \d+ records of 2 runs in .+\n$/),
  });
  expect(JSON.parse(first.stdout)).toMatchObject({
    runs: 2,
    records: expect.any(Number),
    bytes: expect.any(Number),
    damaged: 0,
    lostBodies: 0,
    durationMs: expect.any(Number),
  });
  expect(statSync(paths.index).mode & 0o777).toBe(0o600);
  await open.end({ exitCode: 0 });
  expect((await home.gate(['reindex', '--quiet'])).stderr).toBe('');
  const before = dumpIndex(paths.index);
  for (const suffix of ['', '-wal', '-shm']) rmSync(paths.index + suffix, { force: true });
  expect((await home.gate(['reindex'])).exitCode).toBe(0);
  expect(dumpIndex(paths.index)).toEqual(before);
});

test('gate reindex repairs a damaged index, and says what of the ledgers it could not read', async () => {
  const record = await recordTraffic(paths);
  await record.end({ exitCode: 0 });
  writeFileSync(paths.index, 'no database '.repeat(1000), { mode: 0o600 });
  rmSync(`${paths.runs}/${record.run}/bodies.pack`);
  const { exitCode, stderr } = await home.gate(['reindex']);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/0 lines and \d+ bodies could not be read; the rest is there\n {2}gate verify\n$/);
  expect(dumpIndex(paths.index)['events']?.length).toBeGreaterThan(5);
});

function replaceByFolder(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

test.each([
  ["is another user's", (dir: string) => chmodSync(dir, 0), /EACCES/],
  [
    'has a folder for a ledger',
    (dir: string) => replaceByFolder(join(dir, 'ledger.jsonl')),
    /EISDIR|is no file/,
  ],
] as const)('a run that %s is named, and hides no other', async (_, spoil, reason) => {
  const [bad, good] = [await recordTraffic(paths), await recordTraffic(paths)];
  for (const record of [bad, good]) await record.end({ exitCode: 0 });
  const dir = join(paths.runs, bad.run);
  // Root reads what has no modes at all.
  const isRead = process.getuid?.() === 0 && reason.source === 'EACCES';
  spoil(dir);
  try {
    for (const args of [
      ['events', '--json'],
      ['reindex'],
      ['stats', '--json'],
      ['search', '--json', 'a'],
      ['lists'],
    ]) {
      const { exitCode, stderr } = await home.gate(args);
      expect({ args, exitCode }).toMatchObject({ exitCode: 0 });
      if (isRead) expect(stderr).not.toContain('cannot be read');
      else
        expect(stderr).toMatch(
          new RegExp(`run ${bad.run} cannot be read.*${reason.source}.*\\n {2}gate doctor`),
        );
    }
    const verdict = await home.gate(['verify', '--json']);
    expect(verdict.exitCode).toBe(isRead ? 0 : 1);
    if (!isRead) expect(verdict.stdout).toContain('"unreadable"');
    const runs = new Set(dumpIndex(paths.index)['events']?.map((row) => row['of']));
    expect(runs.size).toBe(isRead ? 2 : 1);
  } finally {
    chmodSync(dir, 0o700);
  }
});

test('without any run there is an empty index, and no failure', async () => {
  const { exitCode, stdout } = await home.gate(['reindex', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ runs: 0, records: 0 });
});

test('where the index cannot be written, the reason and the next step are told', async () => {
  writeFileSync(`${home.dir}/gate`, '');
  const { exitCode, stderr } = await home.gate(['reindex']);
  expect(exitCode).toBe(125);
  expect(stderr).toMatch(/^gate: .*index.*\n {2}\S/);
});
