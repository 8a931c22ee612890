import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addPatterns, removePatterns } from '../../src/policy/edit.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-edit-'));
  file = join(folder, 'allowlist.txt');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const content = () => readFileSync(file, 'utf8');
const mode = () => (statSync(file).mode & 0o777).toString(8);

/** Before, add, after. */
const ADDS: readonly (readonly [string, string[], string])[] = [
  ['', ['a.test'], 'a.test\n'],
  ['# head\n\nb.test # why\n', ['a.test'], '# head\n\nb.test # why\na.test\n'],
  ['b.test', ['a.test'], 'b.test\na.test\n'],
  ['b.test\r\n', ['a.test'], 'b.test\r\na.test\r\n'],
  ['a.test\n', ['A.test.'], 'a.test\n'],
  ['# a.test\n', ['a.test'], '# a.test\na.test\n'],
  ['xn--bcher-kva.test\n', ['bücher.test'], 'xn--bcher-kva.test\n'],
  ['', ['bücher.test'], 'bücher.test\n'],
  ['a.test\n', ['a.test:8443', 'a.test', 'a.test:8443', '[::1]:80'], 'a.test\na.test:8443\n[::1]:80\n'],
  ['bad?\n', ['a.test'], 'bad?\na.test\n'],
];

/** Before, remove, after. */
const REMOVES: readonly (readonly [string, string[], string])[] = [
  ['a.test\n', ['a.test'], ''],
  ['# a.test\n\nA.TEST. # why\nb.test\n', ['a.test'], '# a.test\n\nb.test\n'],
  ['b.test\na.test', ['a.test'], 'b.test\n'],
  ['a.test\nb.test\na.test\n', ['a.test'], 'b.test\n'],
  ['a.test:443\n', ['a.test'], 'a.test:443\n'],
  ['*.a.test\n', ['a.test'], '*.a.test\n'],
  ['\ufeffa.test\r\nb.test\r\n', ['a.test'], 'b.test\r\n'],
  ['bücher.test\n', ['XN--BCHER-KVA.test'], ''],
  ['127.0.0.1:80\n', ['0x7f.1:80'], ''],
];

describe('editing a list', () => {
  test.each(ADDS)('%j and %j make %j', async (before, patterns, after) => {
    if (before !== '') writeFileSync(file, before);
    const result = await addPatterns(file, patterns);
    expect(content()).toBe(after);
    expect(result.before === result.after).toBe(before === after);
    expect(result.changed.length === 0).toBe(before === after);
  });

  test.each(REMOVES)('%j without %j is %j', async (before, patterns, after) => {
    writeFileSync(file, before);
    const result = await removePatterns(file, patterns);
    expect(content()).toBe(after);
    expect(result.changed).toEqual(before === after ? [] : patterns);
  });

  test('keeps bytes that are not UTF-8', async () => {
    writeFileSync(file, Buffer.from([0x23, 0xe9, 0xff, 0x0a]));
    await addPatterns(file, ['ü.test']);
    expect(readFileSync(file).subarray(0, 4)).toEqual(Buffer.from([0x23, 0xe9, 0xff, 0x0a]));
    expect(readFileSync(file).subarray(4).toString()).toBe('ü.test\n');
  });

  test.each(['600', '640', '644'])('keeps mode %s', async (wanted) => {
    writeFileSync(file, '');
    chmodSync(file, Number.parseInt(wanted, 8));
    await addPatterns(file, ['a.test']);
    expect(mode()).toBe(wanted);
  });

  test('makes folder and file private, and leaves nothing else behind', async () => {
    file = join(folder, 'deep', 'config', 'allowlist.txt');
    await addPatterns(file, ['a.test']);
    expect(mode()).toBe('600');
    expect((statSync(join(folder, 'deep', 'config')).mode & 0o777).toString(8)).toBe('700');
    expect(readdirSync(join(folder, 'deep', 'config'))).toEqual(['allowlist.txt']);
  });

  test('edits the target of a symbolic link, also one that is not there yet', async () => {
    mkdirSync(join(folder, 'dotfiles'));
    symlinkSync('dotfiles/allow', file);
    await addPatterns(file, ['a.test']);
    await addPatterns(file, ['b.test']);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'dotfiles', 'allow'), 'utf8')).toBe('a.test\nb.test\n');
  });

  test('writes nothing for a bad pattern', async () => {
    for (const bad of ['a?', 'a.test # b', 'a.test\nb.test', '', '10.*']) {
      await expect(addPatterns(file, ['good.test', bad])).rejects.toMatchObject({
        code: 'bad_pattern',
        exitCode: 2,
      });
    }
    expect(existsSync(file)).toBe(false);
  });
});

/** Runs an edit in a process of its own; resolves with its exit code. */
function editor(patterns: readonly string[], beforehand = ''): Promise<number | null> {
  const url = new URL('../../src/policy/edit.ts', import.meta.url).href;
  const script = `const { addPatterns } = await import(${JSON.stringify(url)});
    ${beforehand}
    for (const one of ${JSON.stringify(patterns)}) await addPatterns(${JSON.stringify(file)}, [one]);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.on('exit', resolve));
}

describe('several editors at once', () => {
  test('processes lose none of their patterns', async () => {
    writeFileSync(file, '# head\n');
    const names = Array.from({ length: 6 }, (_, p) =>
      Array.from({ length: 12 }, (_, i) => `p${p}-${i}.test`),
    );
    const codes = await Promise.all(names.map((patterns) => editor(patterns)));
    expect(codes).toEqual(names.map(() => 0));
    expect(content().split('\n').slice(1, -1).sort()).toEqual(names.flat().sort());
    expect(content().startsWith('# head\n')).toBe(true);
    expect(readdirSync(folder)).toEqual(['allowlist.txt']);
  });

  test('many edits of one process too', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => addPatterns(file, [`n${i}.test`])));
    expect(content().trim().split('\n')).toHaveLength(40);
  });

  test('a person who appends meanwhile loses nothing', async () => {
    writeFileSync(file, '');
    const appended: string[] = [];
    const timer = setInterval(() => {
      appended.push(`hand${appended.length}.test`);
      spawnSync('sh', ['-c', `echo ${appended.at(-1)} >> ${file}`]);
    }, 15);
    for (let i = 0; i < 15; i++) await addPatterns(file, [`n${i}.test`]);
    clearInterval(timer);
    const there = content().split('\n');
    expect(
      Array.from({ length: 15 }, (_, i) => `n${i}.test`).filter((name) => !there.includes(name)),
    ).toEqual([]);
    expect(appended.filter((name) => !there.includes(name))).toEqual([]);
  });

  test('a lock whose owner was killed is taken over', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    appendFileSync(join(folder, '.allowlist.txt.lock'), `${dead} x\n`);
    await Promise.all([addPatterns(file, ['a.test']), addPatterns(file, ['b.test'])]);
    expect(content().trim().split('\n').sort()).toEqual(['a.test', 'b.test']);
    expect(readdirSync(folder)).toEqual(['allowlist.txt']);
  });

  test('an old lock is taken over, whoever has its number now', async () => {
    const lock = join(folder, '.allowlist.txt.lock');
    writeFileSync(lock, `${process.pid} x\n`);
    utimesSync(lock, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    await addPatterns(file, ['a.test']);
    expect(readdirSync(folder)).toEqual(['allowlist.txt']);
  });
});
