import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';
import { type Started, startGate, within } from '../helpers/shell.ts';

/** One run that asks again and again, while a person edits its denylist in every way in which people save files. */
let home: TestHome;
let origin: HttpsOrigin;
let deny: string;
let codes: string;
let stop: string;
let running: Started;

const ASK = `until [ -e stop ]; do
  curl -s -o /dev/null -w '%{http_code}\\n' https://origin.test/ >>codes
  sleep 0.02
done`;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test');
  const config = home.at('config');
  mkdirSync(config, { recursive: true, mode: 0o700 });
  deny = join(config, 'denylist.txt');
  [codes, stop] = [join(home.dir, 'codes'), join(home.dir, 'stop')];
  writeFileSync(deny, ALLOWS);
  running = startGate(home, ['run', ...origin.runOptions, '--', 'sh', '-c', ASK], 300_000);
  expect(await within(30_000, () => existsSync(codes))).toBe(true);
});
afterAll(async () => {
  writeFileSync(stop, '');
  await running.ended;
  await origin.stop();
  home.remove();
});

const ALLOWS = '# what is denied\n# origin.test\n';
const DENIES = '# what is denied\norigin.test\n';

const vim =
  (...settings: string[]) =>
  (text: string) => {
    const change = text === DENIES ? '%s/^# origin/origin/' : '%s/^origin/# origin/';
    const commands = [...settings, change, 'wq'].flatMap((command) => ['-c', command]);
    execFileSync(findProgram('vim') ?? '', ['-u', 'NONE', '-N', '-es', ...commands, deny], { input: '' });
  };
const shell = (script: string) => (text: string) => {
  execFileSync('sh', ['-ec', script, 'sh', deny, text, text === DENIES ? 's/^# o/o/' : 's/^o/# o/']);
};

/** Each saves the list with this text. */
const EDITS: readonly (readonly [string, (text: string) => void | Promise<void>])[] = [
  ['vim', vim()],
  ['vim, with the file it replaces as its backup', vim('set backup backupcopy=no')],
  ['vim, over the file', vim('set nobackup nowritebackup')],
  ['VS Code: cut and written in place', (text) => writeFileSync(deny, text)],
  ['an editor that replaces the file', (text) => replace(text)],
  ['shell: a new file by >', shell('printf %s "$2" >"$1"')],
  ['shell: sed -i', shell('sed -i "$3" "$1"')],
  ['deleted and made again', (text) => madeAgain(text)],
];

function replace(text: string): void {
  writeFileSync(`${deny}.new`, text);
  renameSync(`${deny}.new`, deny);
}

async function madeAgain(text: string): Promise<void> {
  rmSync(deny);
  await sleep(150);
  writeFileSync(deny, text);
}

const asked = () => readFileSync(codes, 'utf8').trim().split('\n');
/** What the last request was answered, when it and one before it were begun after now. */
async function answerFromNowOn(): Promise<string | undefined> {
  const before = asked().length;
  await expect.poll(() => asked().length, { timeout: 20_000 }).toBeGreaterThan(before + 1);
  return asked().at(-1);
}
const reloads = () => home.ledger().filter(({ type }) => type === 'list.reload');

/** Waits until an edit's result was read, and returns the milliseconds from its end. */
async function reloadAfter(edit: () => void | Promise<void>): Promise<number> {
  await edit();
  const saved = Date.now();
  const sha256 = createHash('sha256').update(readFileSync(deny)).digest('hex');
  // An editor may be read in the middle of its saving: what counts is the whole.
  await expect.poll(() => reloads().at(-1)?.['sha256'], { timeout: 10_000, interval: 20 }).toBe(sha256);
  return Date.parse(String(reloads().at(-1)?.['at'])) - saved;
}

describe('edits while a command runs', () => {
  // promise: lists.reload
  test.for(EDITS)('%s', async ([name, save], { skip }) => {
    skip(name.startsWith('vim') && findProgram('vim') === undefined, 'no vim here');
    expect(await answerFromNowOn()).toBe('200');
    expect(await reloadAfter(() => save(DENIES))).toBeLessThan(1000);
    expect(await answerFromNowOn()).toBe('403');
    expect(await reloadAfter(() => save(ALLOWS))).toBeLessThan(1000);
    expect(await answerFromNowOn()).toBe('200');
  });

  // promise: lists.bad-line
  test('a bad line never makes the policy weaker, and is told in the end', async () => {
    await reloadAfter(() => replace(DENIES));
    expect(await answerFromNowOn()).toBe('403');
    const from = asked().length;
    for (const bad of ['orig?n.test\n', `${ALLOWS}https://origin.test/\n`, 'a b\n']) {
      await reloadAfter(() => writeFileSync(deny, bad));
      expect(reloads().at(-1)?.['errors']).toEqual([expect.stringContaining('denylist.txt:')]);
      expect(await answerFromNowOn()).toBe('403');
    }
    expect(new Set(asked().slice(from))).toEqual(new Set(['403']));
    writeFileSync(stop, '');
    expect((await running.ended).stderr).toMatch(/denylist\.txt:1: /);
  });
});
