import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GateError } from '../../src/core/errors.ts';
import { addPatterns } from '../../src/policy/edit.ts';
import { createLists, type ListReloadFacts, type Lists } from '../../src/policy/lists.ts';
import { runPatterns } from '../../src/policy/run-patterns.ts';
import { findProgram } from '../helpers/programs.ts';
import { skipBecause } from '../helpers/skips.ts';

/** What docs/lists.md promises. */
const PROMISE_MS = 1000;

let home: string;
let config: string;
let deny: string;
let lists: Lists | undefined;
let reloads: ListReloadFacts[];
/** How often the denylist was seen without a pattern that stood in it all the time. */
let holes: number;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const denies = (host: string) => lists?.matchers().deny.match(host, 443) !== undefined;

function paths() {
  return {
    allowlist: join(config, 'allowlist.txt'),
    denylist: deny,
    passthrough: join(config, 'passthrough.txt'),
  };
}

function start(): void {
  lists = createLists({ paths: paths(), onReload: (facts) => reloads.push(facts) });
  lists.start();
}

async function within(check: () => boolean): Promise<number> {
  const started = performance.now();
  while (!check()) {
    if (performance.now() - started > 5 * PROMISE_MS) throw new Error('never happened');
    await sleep(5);
  }
  return performance.now() - started;
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-lists-'));
  config = join(home, 'config');
  deny = join(config, 'denylist.txt');
  reloads = [];
  holes = 0;
});

afterEach(() => {
  lists?.stop();
  lists = undefined;
  rmSync(home, { recursive: true, force: true });
});

function sh(script: string): void {
  const { status, stderr } = spawnSync('sh', ['-ec', script], { cwd: config, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** Each leaves `keep.test` and `new.test` in denylist.txt, which held `keep.test`. */
const EDITS: Readonly<Record<string, () => void | Promise<void>>> = {
  'shell append': () => sh('echo new.test >> denylist.txt'),
  'sed -i': () => sh("sed -i 's/$/\\nnew.test/' denylist.txt"),
  'rm and re-create': () => sh('rm denylist.txt; sleep 0.1; printf "keep.test\\nnew.test\\n" > denylist.txt'),
  'truncate, pause, write': async () => {
    truncateSync(deny);
    await sleep(150);
    appendFileSync(deny, 'keep.test\n');
    await sleep(20);
    appendFileSync(deny, 'new.test\n');
  },
  'VS Code: write in place': () => writeFileSync(deny, 'keep.test\nnew.test\n'),
  'vim: backup by rename, write anew, remove backup': async () => {
    renameSync(deny, `${deny}~`);
    await sleep(50);
    writeFileSync(deny, 'keep.test\nnew.test\n');
    unlinkSync(`${deny}~`);
  },
  'atomic replace': () => {
    writeFileSync(join(config, 'tmp'), 'keep.test\nnew.test\n');
    renameSync(join(config, 'tmp'), deny);
  },
  'gate deny': async () => {
    await addPatterns(deny, ['new.test']);
  },
  'folder replaced': () => {
    mkdirSync(join(home, 'config2'));
    writeFileSync(join(home, 'config2', 'denylist.txt'), 'keep.test\nnew.test\n');
    renameSync(config, join(home, 'old'));
    renameSync(join(home, 'config2'), config);
  },
  'same size and same time': () => {
    sh('touch -r denylist.txt stamp; printf "new.test\\n" > denylist.txt; touch -r stamp denylist.txt');
  },
};

describe('an edit counts within a second', () => {
  test.each(Object.entries(EDITS))('%s', async (name, edit) => {
    mkdirSync(config);
    writeFileSync(deny, name === 'same size and same time' ? 'old.test\n' : 'keep.test\n');
    start();
    await sleep(50);
    const watcher = setInterval(() => {
      if (name !== 'same size and same time' && !denies('keep.test')) holes++;
    }, 2);
    await edit();
    expect(await within(() => denies('new.test'))).toBeLessThan(PROMISE_MS);
    clearInterval(watcher);
    expect(holes).toBe(0);
    expect(reloads.at(-1)).toEqual({ list: 'deny', sha256: lists?.hashes().deny, errors: [] });
  });

  const noVim = findProgram('vim') === undefined && 'no vim here';
  test('vim itself', skipBecause(noVim), async () => {
    mkdirSync(config);
    writeFileSync(deny, 'keep.test\n');
    start();
    const vim = spawnSync('vim', ['-u', 'NONE', '-N', '-es', '-c', 'normal onew.test', '-c', 'wq', deny], {
      input: '',
    });
    expect(vim.error).toBeUndefined();
    expect(await within(() => denies('new.test'))).toBeLessThan(PROMISE_MS);
  });

  test('a folder that was missing', async () => {
    start();
    expect(denies('new.test')).toBe(false);
    mkdirSync(config);
    await sleep(20);
    writeFileSync(deny, 'new.test\n');
    expect(await within(() => denies('new.test'))).toBeLessThan(PROMISE_MS);
  });

  test('a list that is gone is empty', async () => {
    mkdirSync(config);
    writeFileSync(deny, 'old.test\n');
    start();
    unlinkSync(deny);
    expect(await within(() => !denies('old.test'))).toBeLessThan(PROMISE_MS);
    expect(reloads.at(-1)).toEqual({ list: 'deny', sha256: sha256(''), errors: [] });
  });

  test('the target of a symbolic link', async () => {
    mkdirSync(config);
    const real = join(home, 'dotfiles.txt');
    writeFileSync(real, 'keep.test\n');
    symlinkSync(real, deny);
    start();
    await sleep(50);
    appendFileSync(real, 'new.test\n');
    expect(await within(() => denies('new.test'))).toBeLessThan(PROMISE_MS);
  });

  test('a file that is written all the time', async () => {
    mkdirSync(config);
    writeFileSync(deny, '');
    start();
    const writer = setInterval(() => appendFileSync(deny, '# x\n'), 10);
    appendFileSync(deny, 'new.test\n');
    expect(await within(() => denies('new.test'))).toBeLessThan(PROMISE_MS);
    clearInterval(writer);
  });
});

describe('bad lines', () => {
  test('at start: every one is named and nothing begins', () => {
    mkdirSync(config);
    writeFileSync(deny, 'good.test\nbad?\n');
    writeFileSync(join(config, 'allowlist.txt'), '\n\nhttps://x.test/\n');
    const thrown = () => {
      try {
        createLists({ paths: paths() });
      } catch (error) {
        return error instanceof GateError ? [error.code, ...error.message.split('\n')] : error;
      }
      return undefined;
    };
    expect(thrown()).toEqual([
      'bad_list',
      `${deny}:2: '?' is not allowed; '*' is the only wildcard`,
      `${join(config, 'allowlist.txt')}:3: a host name is wanted, not a URL`,
    ]);
  });

  test('during a run: the last good list stays until it is mended', async () => {
    mkdirSync(config);
    writeFileSync(deny, 'old.test\n');
    start();
    const good = lists?.hashes().deny;
    writeFileSync(deny, 'new.test\nbad?\n');
    await within(() => reloads.length > 0);
    const error = `${deny}:2: '?' is not allowed; '*' is the only wildcard`;
    expect(reloads).toEqual([{ list: 'deny', sha256: sha256('new.test\nbad?\n'), errors: [error] }]);
    expect([denies('old.test'), denies('new.test'), lists?.hashes().deny]).toEqual([true, false, good]);
    expect(lists?.errors()).toEqual([error]);
    writeFileSync(deny, 'new.test\n');
    await within(() => denies('new.test'));
    expect([denies('old.test'), lists?.errors()]).toEqual([false, []]);
    expect(reloads).toHaveLength(2);
  });

  test('something that is no file keeps the last good list too, and a FIFO blocks nobody', async () => {
    mkdirSync(config);
    writeFileSync(deny, 'old.test\n');
    start();
    sh('rm denylist.txt; mkfifo denylist.txt');
    await within(() => reloads.length > 0);
    expect(reloads.at(-1)?.errors.join()).toContain('not a regular file');
    expect(denies('old.test')).toBe(true);
  });
});

test('touching a file is no reload', async () => {
  mkdirSync(config);
  writeFileSync(deny, 'old.test\n');
  start();
  sh('touch denylist.txt');
  await sleep(PROMISE_MS);
  expect(reloads).toEqual([]);
});

test('nothing is watched after stop, and a second start changes nothing', async () => {
  mkdirSync(config);
  start();
  lists?.start();
  lists?.stop();
  writeFileSync(deny, 'new.test\n');
  await sleep(PROMISE_MS);
  expect(denies('new.test')).toBe(false);
});

test('patterns of the run outlive a reload', async () => {
  mkdirSync(config);
  writeFileSync(deny, 'old.test\n');
  lists = createLists({
    paths: paths(),
    extra: runPatterns({ deny: ['run.test'], profileHosts: ['api.test'] }),
  });
  lists.start();
  expect(lists.matchers().allow.match('api.test', 443)?.text).toBe('api.test');
  writeFileSync(deny, 'new.test\n');
  await within(() => denies('new.test'));
  expect([denies('run.test'), lists.patterns().deny.map(({ text }) => text)]).toEqual([
    true,
    ['new.test', 'run.test'],
  ]);
});

test('watching keeps no process alive', () => {
  const url = new URL('../../src/policy/lists.ts', import.meta.url).href;
  const script = `const { createLists } = await import(${JSON.stringify(url)});
    createLists({ paths: ${JSON.stringify(paths())} }).start();`;
  const started = performance.now();
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  expect([child.status, String(child.stderr)]).toEqual([0, '']);
  expect(performance.now() - started).toBeLessThan(15_000);
});
