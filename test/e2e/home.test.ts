import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';
import { skipBecause } from '../helpers/skips.ts';

/** Where gate keeps things, and what it says where it cannot. */
let home: TestHome;
beforeEach(() => {
  home = testHome();
});
afterEach(() => home.remove());

const at = (...parts: string[]) => join(home.dir, ...parts);
const mode = (path: string) => statSync(path).mode & 0o777;

/** Config in one folder, data in another, of one run and one edit. */
function expectHome(config: string, data: string): void {
  expect(readdirSync(config).sort()).toEqual(['allowlist.txt', 'ca']);
  expect(readdirSync(data)).toEqual(expect.arrayContaining(['actions.jsonl', 'heads.jsonl', 'runs']));
  for (const folder of [config, data, join(config, 'ca'), join(data, 'runs')])
    expect(mode(folder)).toBe(0o700);
  for (const file of [join(config, 'allowlist.txt'), join(config, 'ca', 'ca.key'), join(data, 'heads.jsonl')])
    expect(mode(file)).toBe(0o600);
  expect(mode(join(config, 'ca', 'ca.pem'))).toBe(0o644);
}

describe('the folders of gate', () => {
  // promise: files.places, files.modes
  test.each([
    ['by default', {}, '.config/gate', '.local/share/gate'],
    ['by XDG', { XDG_CONFIG_HOME: 'my config', XDG_DATA_HOME: 'dät' }, 'my config/gate', 'dät/gate'],
    ['by one XDG variable', { XDG_DATA_HOME: 'data' }, '.config/gate', 'data/gate'],
    ['by GATE_HOME', { GATE_HOME: 'a/b', XDG_CONFIG_HOME: 'not-used' }, 'a/b/config', 'a/b/data'],
  ])('%s', async (_, variables, config, data) => {
    const env = Object.fromEntries(Object.entries(variables).map(([name, path]) => [name, at(path)]));
    const given = { GATE_HOME: '', ...env };
    const seen = 'ls -A "$1"; echo --; ls -A "$2"';
    const command = ['run', '--quiet', '--', 'sh', '-c', seen, 'sh', at(config), at(data)];
    const result = await home.gate(command, { env: given });
    // The jail has the same places, with nothing of the record in them.
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toBe('ca\n--\n');
    expect((await home.gate(['allow', 'a.example'], { env: given })).exitCode).toBe(0);
    expectHome(at(config), at(data));
    expect(existsSync(at('not-used'))).toBe(false);
  });

  // promise: files.places
  test('a relative XDG variable does not count, a relative GATE_HOME is an error', async () => {
    const env = { GATE_HOME: '', XDG_CONFIG_HOME: 'rel', XDG_DATA_HOME: './rel' };
    expect((await home.gate(['run', '--', 'true'], { env })).exitCode).toBe(0);
    expect(existsSync(at('.config/gate/ca/ca.pem'))).toBe(true);
    expect(existsSync(at('rel'))).toBe(false);
    for (const [command, exitCode] of [
      ['runs', 2],
      ['lists', 2],
      ['run', 125],
    ] as const) {
      const args = command === 'run' ? [command, '--', 'true'] : [command];
      const result = await home.gate(args, { env: { GATE_HOME: 'rel' } });
      expect(result).toMatchObject({ exitCode, stdout: '' });
      expect(result.stderr).toMatch(/^gate: GATE_HOME must be an absolute path, not 'rel'\n {2}\S.*\n$/);
    }
    expect(existsSync(at('rel'))).toBe(false);
  });

  // promise: files.modes
  test('are for nobody else, whatever the umask', async () => {
    const umask = process.umask(0);
    try {
      await home.gate(['run', '--quiet', '--', 'true']);
      await home.gate(['allow', 'a.example']);
    } finally {
      process.umask(umask);
    }
    expectHome(at('gate', 'config'), at('gate', 'data'));
    const run = at('gate', 'data', 'runs', home.runs()[0] ?? '');
    expect(mode(run)).toBe(0o700);
    const files = readdirSync(run);
    expect(files).toEqual(expect.arrayContaining(['ledger.jsonl']));
    for (const file of files) expect(mode(join(run, file))).toBe(0o600);
  });
});

const READERS = [
  ['runs'],
  ['events'],
  ['stats'],
  ['lists'],
  ['search', 'x'],
  ['show', 'last:1'],
  ['lists', 'suggest'],
  ['verify'],
  ['export', '--format', 'jsonl'],
  ['prune', '--older-than', '1d'],
  ['dismiss', 'last:1', '--reason', 'y'],
];

// promise: exit.others, exit.next-step
test.each(READERS.map((args) => [args.join(' '), args] as const))(
  'gate %s says of a home that is no folder what is the matter, and the next step',
  async (_, args) => {
    writeFileSync(at('gate'), '');
    const { exitCode, stderr } = await home.gate(args);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^gate: .*ENOTDIR.*\n {2}\S.*\n$/);
    expect(stderr).not.toContain('internal error');
  },
);

// promise: exit.others, exit.next-step
test(
  'files that may not be read are no error of gate',
  skipBecause(process.getuid?.() === 0 && 'root can read any file'),
  async () => {
    await home.gate(['run', '--quiet', '--', 'true']);
    chmodSync(at('gate', 'data'), 0);
    try {
      for (const args of READERS) {
        const { exitCode, stderr } = await home.gate(args);
        expect(exitCode, args.join(' ')).toBe(125);
        expect(stderr).toMatch(/^gate: .*EACCES.*\n {2}\S.*\n$/);
      }
    } finally {
      chmodSync(at('gate', 'data'), 0o700);
    }
  },
);

test('a folder that was removed under the shell stops only what needs it, with the next step', () => {
  mkdirSync(at('gone'));
  const script = 'cd "$1"; rmdir "$1"; shift; exec "$@" 2>&1';
  const inRemoved = (...args: string[]) =>
    spawnSync('bash', ['-c', script, 'bash', at('gone'), process.execPath, GATE, ...args], {
      env: home.env,
      encoding: 'utf8',
    });
  expect(inRemoved('runs')).toMatchObject({ status: 0 });
  mkdirSync(at('gone'));
  expect(inRemoved('run', '--', 'true')).toMatchObject({
    status: 125,
    stdout:
      'gate: the folder that you are in does not exist any more\n  cd to one that does, then run it again\n',
  });
});

describe('a stream that takes nothing', () => {
  /** Gate with a stream for which nobody is there any more. */
  async function exitCode(args: readonly string[], stdio: ['ignore', 'ignore' | number, 'pipe' | 'ignore']) {
    const child = spawn(process.execPath, [GATE, ...args], { cwd: home.dir, env: home.env, stdio });
    child.stderr?.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  // promise: exit.own
  test('stderr: the exit code is what it would have been', async () => {
    expect(await exitCode(['run', '--', 'sh', '-c', 'exit 3'], ['ignore', 'ignore', 'pipe'])).toBe(3);
    expect(await exitCode(['events'], ['ignore', 'ignore', 'pipe'])).toBe(0);
    expect(await exitCode(['zzzzzz'], ['ignore', 'ignore', 'pipe'])).toBe(2);
  });

  const noFull = !existsSync('/dev/full') && 'no /dev/full here';
  // promise: exit.others
  test('a full disk behind stdout is told in a sentence', skipBecause(noFull), async () => {
    mkdirSync(at('gate'));
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [GATE, 'help'], {
      env: home.env,
      stdio: ['ignore', full, 'pipe'],
    });
    let told = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(125);
    expect(told).toMatch(/^gate: cannot write the output: ENOSPC/);
    expect(told).not.toContain('internal error');
  });
});
