import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';

/** The commands by which a person edits what gate decides by. */
let home: TestHome;
let origin: HttpsOrigin;

beforeAll(async () => {
  origin = await startHttpsOrigin('origin.test');
});
afterAll(() => origin.stop());
beforeEach(() => {
  home = testHome();
});
afterEach(() => home.remove());

const file = (name: string) => home.at(`config/${name}`);
const json = async (...args: string[]) => {
  const result = await home.gate([...args, '--json']);
  return { ...result, value: JSON.parse(result.stdout) as Record<string, unknown> };
};
const curl = (...urls: string[]) => [
  ...['curl', '-s', '-w', '%{http_code}\n'],
  ...urls.flatMap((url) => ['-o', '/dev/null', url]),
];
const run = (options: string[], ...command: string[]) =>
  home.gate(['run', ...origin.runOptions, ...options, '--', ...command]);

describe('gate allow, deny, passthrough', () => {
  // promise: lists.command, files.modes
  test('make what is missing, for nobody else to read', async () => {
    const result = await home.gate(['allow', 'api.example.com', '*.example.org:8443']);
    expect(result).toMatchObject({ exitCode: 0, stdout: '+ api.example.com\n+ *.example.org:8443\n' });
    expect(result.stderr).toContain(`made ${file('allowlist.txt')}`);
    expect(readFileSync(file('allowlist.txt'), 'utf8')).toBe('api.example.com\n*.example.org:8443\n');
    expect(statSync(file('')).mode & 0o777).toBe(0o700);
    expect(statSync(file('allowlist.txt')).mode & 0o777).toBe(0o600);
  });

  // promise: lists.atomic
  test('keep comments and order, and are recorded with both hashes', async () => {
    mkdirSync(file(''), { recursive: true });
    writeFileSync(file('denylist.txt'), '# trackers\nads.example  # noisy\n\n# mine\nmine.example\n');
    await home.gate(['deny', 'new.example']);
    const removed = await json('deny', '--remove', 'ADS.example.');
    expect(readFileSync(file('denylist.txt'), 'utf8')).toBe(
      '# trackers\n\n# mine\nmine.example\nnew.example\n',
    );
    const [first, second] = home.actions();
    expect(first).toMatchObject({ type: 'list.edit', list: 'deny', added: ['new.example'], removed: [] });
    expect(second).toMatchObject({
      list: 'deny',
      added: [],
      removed: ['ADS.example.'],
      before: first?.['after'],
    });
    expect(removed.value).toMatchObject({
      list: 'deny',
      after: second?.['after'],
      removed: ['ADS.example.'],
    });
    expect((await home.gate(['verify'])).exitCode).toBe(0);
  });

  test('what is there already, in another spelling, changes nothing and is not recorded again', async () => {
    await home.gate(['passthrough', 'pinned.example']);
    const again = await home.gate(['passthrough', 'PINNED.example']);
    expect(again).toMatchObject({ exitCode: 0, stdout: '' });
    expect(again.stderr).toContain("'PINNED.example' is on the passthrough list already");
    expect(home.actions()).toHaveLength(1);
  });

  test('what is not there cannot be removed: the answer is no, and says where else it stands', async () => {
    mkdirSync(file(''), { recursive: true });
    writeFileSync(file('config.toml'), 'version = 1\n[run]\ndeny = ["x.example"]\n');
    const result = await home.gate(['deny', '--remove', 'x.example']);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain('run.deny');
    expect(existsSync(home.at('data/actions.jsonl'))).toBe(false);
  });

  test.each([
    ['a URL', 'https://example.com/'],
    ['a question mark', 'a?.example'],
    ['a comment', 'a.example#x'],
    ['a bad port', 'a.example:70000'],
  ])('%s is refused, and nothing is written', async (_, pattern) => {
    const result = await home.gate(['allow', 'good.example', pattern]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/^gate: /);
    expect(existsSync(file('allowlist.txt'))).toBe(false);
  });

  test('a conflict is told at once, from either side', async () => {
    await home.gate(['allow', 'api.example.com']);
    const denied = await home.gate(['deny', '*.example.com']);
    expect(denied.stderr).toContain("'api.example.com' (allow) is covered by '*.example.com' (deny)");
    const passed = await json('passthrough', 'x.example.com');
    expect(passed.value['conflicts']).toHaveLength(1);
    const quiet = await home.gate(['--quiet', 'deny', '*.example.com']);
    expect(quiet).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('what is no file is neither waited for nor overwritten, and the next step is named', async () => {
    mkdirSync(file(''), { recursive: true });
    expect(spawnSync('mkfifo', [file('allowlist.txt')]).status).toBe(0);
    const hung = await home.gate(['allow', 'a.example']);
    expect(hung).toMatchObject({ exitCode: 125, stdout: '' });
    expect(hung.stderr).toMatch(
      /^gate: cannot change .*allowlist\.txt: not a regular file\n {2}gate doctor\n$/,
    );
    expect((await home.gate(['run', '--', 'true'])).stderr).toMatch(/not a regular file\n {2}gate doctor\n$/);
  });

  test('a bad line elsewhere in the list is told, since it keeps the edit out of force', async () => {
    mkdirSync(file(''), { recursive: true });
    writeFileSync(file('allowlist.txt'), 'bad[line\n');
    const result = await home.gate(['allow', 'fine.example']);
    expect(result.stderr).toContain('allowlist.txt:1: ');
    expect(readFileSync(file('allowlist.txt'), 'utf8')).toBe('bad[line\nfine.example\n');
  });

  test('a folder that cannot be written to is a sentence, not a stack', async () => {
    mkdirSync(home.at(), { recursive: true });
    writeFileSync(file('').replace(/\/$/, ''), 'a file where the folder should be');
    const result = await home.gate(['allow', 'a.example']);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toMatch(/^gate: cannot change .*allowlist\.txt/);
    expect(result.stderr).not.toContain('internal error');
  });
});

describe('from inside a jail', () => {
  // promise: jail.readonly
  test('nothing is edited, with or without the variable that says so', async () => {
    await home.gate(['deny', 'evil.example']);
    await home.gate(['ca', 'regenerate', '--yes']);
    const before = readFileSync(file('denylist.txt'), 'utf8');
    const told = await run([], process.execPath, GATE, 'deny', '--remove', 'evil.example');
    expect(told.exitCode).toBe(1);
    expect(told.stderr).toMatch(/^gate: the lists cannot be changed from inside gate run/);
    const hidden = await run(
      [],
      'env',
      '-u',
      'GATE_RUN',
      process.execPath,
      GATE,
      'deny',
      '--remove',
      'evil.example',
    );
    expect(hidden.exitCode).not.toBe(0);
    expect(hidden.stderr).toMatch(/^gate: cannot change /);
    const authority = await run([], process.execPath, GATE, 'ca', 'regenerate', '--yes');
    expect(authority.exitCode).toBe(1);
    expect(readFileSync(file('denylist.txt'), 'utf8')).toBe(before);
  });
});

// promise: lists.reload
test('a running gate obeys within a second', async () => {
  const log = join(home.dir, 'codes');
  const script = `
    while :; do
      code=$(curl -s -o /dev/null -w '%{http_code}' https://origin.test/)
      echo "$code $(date +%s%3N)" >>'${log}'
      [ "$code" = 403 ] && break
    done`;
  const running = run([], 'timeout', '30', 'sh', '-c', script);
  await expect
    .poll(() => existsSync(log) && readFileSync(log, 'utf8'), { timeout: 15_000 })
    .toContain('200 ');
  expect((await home.gate(['deny', 'origin.test'])).exitCode).toBe(0);
  const edited = Date.now();
  expect((await running).exitCode).toBe(0);
  const [code, at] = (readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '').split(' ');
  expect(code).toBe('403');
  expect(Number(at) - edited).toBeLessThan(1000);
  expect(home.ledger()).toContainEqual(
    expect.objectContaining({ type: 'list.reload', list: 'deny', errors: [] }),
  );
});

describe('gate lists', () => {
  // promise: lists.command, cmd.json
  test('counts what each pattern decided, over all runs', async () => {
    await home.gate(['allow', 'unused.example', 'ORIGIN.test']);
    await run([], ...curl('https://origin.test/1', 'https://origin.test/2'));
    await run(['--deny', 'origin.test'], ...curl('https://origin.test/3'));
    const { value } = await json('lists');
    expect(value).toMatchObject({
      lists: {
        allow: {
          file: file('allowlist.txt'),
          errors: [],
          patterns: [
            { line: 1, pattern: 'unused.example', hits: 0 },
            { line: 2, pattern: 'ORIGIN.test', hits: 2, lastHit: expect.stringMatching(/^\d{4}-.*Z$/) },
          ],
        },
      },
      conflicts: [],
      others: [{ list: 'deny', pattern: 'origin.test', hits: 1 }],
      runs: 2,
    });
    const { stdout } = await home.gate(['lists']);
    expect(stdout).toMatch(/^ {2}2 +ORIGIN\.test +2 /m);
  });

  test('shows conflicts and bad lines with file and line', async () => {
    await home.gate(['allow', 'a.example.com']);
    await home.gate(['deny', '*.example.com']);
    writeFileSync(file('passthrough.txt'), '# mine\nhttp://x\n');
    const { stdout, exitCode } = await home.gate(['lists']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${file('passthrough.txt')}:2: `);
    expect(stdout).toContain("'a.example.com' (allow) is covered by '*.example.com' (deny)");
  });

  // promise: cmd.colour
  test('is plain where it is read by a program, and coloured where that is forced', async () => {
    const sgr = '\u001b[';
    const forced = { env: { FORCE_COLOR: '1' } };
    expect((await home.gate(['lists'])).stdout).not.toContain(sgr);
    expect((await home.gate(['lists'], forced)).stdout).toContain(sgr);
    expect((await home.gate(['--no-color', 'lists'], forced)).stdout).not.toContain(sgr);
    const both = { env: { FORCE_COLOR: '1', NO_COLOR: '1' } };
    expect((await home.gate(['lists'], both)).stdout).not.toContain(sgr);
  });

  // promise: cmd.typo
  test('a mistyped command below it is answered with the likely one', async () => {
    const typo = await home.gate(['lists', 'sugest']);
    expect(typo.exitCode).toBe(2);
    expect(typo.stderr).toContain('Did you mean suggest?');
  });
});
