import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';
import { within } from '../helpers/shell.ts';

let home: TestHome;
let env: Record<string, string>;
const NAMES = [
  'model_call',
  'denied_host',
  'direct_socket',
  'own_resolver',
  'jail_resolver',
  'own_files',
  'secret_leak',
  'environment_leak',
  'record',
];

beforeAll(() => {
  home = testHome();
  const tmp = join(home.dir, 'tmp');
  mkdirSync(tmp);
  env = { TMPDIR: tmp };
});
afterAll(() => home.remove());

/** Folders of demos that are there. */
const left = () => readdirSync(env['TMPDIR'] ?? '');

// promise: demo, cmd.json
test('every proof holds, and nothing is left behind, nor made in the home of the user', async () => {
  const { exitCode, stdout, stderr } = await home.gate(['demo', '--json'], { env });
  expect(stderr).toMatch(/^gate: demo: [^\n]+\n$/);
  const report = JSON.parse(stdout);
  expect(report.checks.map(({ name }: { name: string }) => name)).toEqual(NAMES);
  expect(report.checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ ok: true, counts: { exchanges: 4, blocked: 1, highFlags: 4 } });
  expect(report.durationMs).toBeLessThan(60_000);
  expect(left()).toEqual([]);
  expect(existsSync(home.at())).toBe(false);
});

test('what is kept can be looked at', async () => {
  const { exitCode, stdout } = await home.gate(['demo', '--keep', '--quiet'], { env });
  expect(stdout.match(/^ok {2}/gm), stdout).toHaveLength(NAMES.length);
  expect(exitCode).toBe(0);
  const [, dir = '', id = ''] =
    /^kept: export GATE_HOME=(\S+); gate events; gate show (\S+); gate verify$/m.exec(stdout) ?? [];
  const kept = { env: { GATE_HOME: dir } };
  expect(await home.gate(['verify'], kept)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/1 run verified\n$/),
  });
  const shown = await home.gate(['show', id, '--json'], kept);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    llm: { api: 'messages' },
    url: 'https://model.test/v1/messages',
  });
  const flagged = await home.gate(['events', 'flag:secret_in_request', '--json'], kept);
  expect(JSON.parse(flagged.stdout)).toMatchObject({ host: 'collector.test' });
});

test('Ctrl-C ends it and cleans up', async () => {
  const before = left();
  const child = spawn(process.execPath, [GATE, 'demo', '--quiet'], {
    env: { ...home.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const made = () => left().find((name) => !before.includes(name)) ?? '';
  const inRun = () => existsSync(join(env['TMPDIR'] ?? '', made(), 'data', 'runs'));
  expect(await within(30_000, inRun)).toBe(true);
  child.kill('SIGINT');
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGINT');
  expect(left()).toEqual(before);
});

// promise: exit.next-step
test('where gate run cannot start, its reason and gate doctor are named', async () => {
  const nested = await home.gate(['demo', '--quiet'], { env: { ...env, GATE_RUN: 'OUTER' } });
  expect(nested.exitCode).toBe(125);
  expect(nested.stderr).toMatch(
    /^gate: the demo could not be run in the jail: already inside gate run OUTER/,
  );
  expect(nested.stderr).toMatch(/^ {2}gate doctor$/m);
  const file = join(home.dir, 'file');
  writeFileSync(file, '');
  const nowhere = await home.gate(['demo', '--quiet'], { env: { TMPDIR: file } });
  expect(nowhere).toMatchObject({
    exitCode: 125,
    stderr: expect.stringMatching(/^gate: cannot make .*\n {2}set TMPDIR/),
  });
});
