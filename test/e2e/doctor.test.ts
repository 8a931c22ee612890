import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { healthyHome } from '../../fixtures/homes/healthy.ts';
import type { gatePaths } from '../../src/core/paths.ts';
import { copyOfGate } from '../helpers/copy-of-gate.ts';
import { users } from '../helpers/jail-rig.ts';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';
import { skipBecause } from '../helpers/skips.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** What docs/runbook.md promises of `--json`. */
const Report = z.strictObject({
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({
      id: z.string(),
      title: z.string(),
      status: z.enum(['ok', 'warn', 'fail', 'skip']),
      detail: z.string().min(1),
      fix: z.string().min(1).optional(),
      repaired: z.array(z.string()).min(1).optional(),
      wouldRepair: z.array(z.string()).min(1).optional(),
    }),
  ),
});

let home: TestHome;
let paths: ReturnType<typeof gatePaths>;
beforeAll(() => {
  home = testHome();
  paths = healthyHome(home.at());
});
afterAll(() => home.remove());

function read(stdout: string) {
  const report = Report.parse(JSON.parse(stdout));
  const of = (id: string) => report.checks.find((check) => check.id === id);
  return { ok: report.ok, of, unwell: report.checks.filter(({ status }) => status !== 'ok'), report };
}

describe('on this machine, gate doctor', () => {
  // promise: doctor
  test.each(users().map((user) => [user.name, user] as const))(
    'finds all well as %s, jail included, and changes nothing',
    (_, { uid }) => {
      const copy = copyOfGate();
      const own = mkdtempSync(join(tmpdir(), 'gate-own-'));
      chownSync(own, uid, uid);
      const env = { ...home.env, HOME: own, GATE_HOME: join(own, 'gate') };
      const gate = (...args: string[]) =>
        spawnSync(process.execPath, [copy.cli, ...args], { env, cwd: own, uid, gid: uid, encoding: 'utf8' });
      expect(gate('doctor', '--auto-repair').status).toBe(0);
      const before = snapshot(own);
      const { status, stdout, stderr } = gate('doctor', '--strict', '--json');
      const { ok, unwell, report, of } = read(stdout);
      expect({ status, ok, unwell, stderr }).toEqual({ status: 0, ok: true, unwell: [], stderr: '' });
      expect(report.checks.length).toBeGreaterThanOrEqual(10);
      expect(of('jail')?.detail).toMatch(/^\d ways out work outside and not inside/);
      expect(snapshot(own)).toEqual(before);
      // A run that has been makes no difference, and leaves nothing behind that doctor would not like.
      expect(gate('run', '--', 'true').status).toBe(0);
      expect(read(gate('doctor', '--strict', '--json').stdout).unwell).toEqual([]);
      for (const dir of [copy.root, own]) rmSync(dir, { recursive: true, force: true });
    },
  );

  test('says what a person must do, in one line a check', async () => {
    const { stdout, exitCode } = await home.gate(['doctor']);
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n').length).toBe(
      read((await home.gate(['doctor', '--json'])).stdout).report.checks.length + 1,
    );
    expect(stdout).toMatch(/^✓ Jail /m);
    expect((await home.gate(['doctor', '--nonsense'])).exitCode).toBe(2);
  });

  const elsewhere = process.platform !== 'linux' && 'namespaces are of Linux';
  test('explains that namespaces are switched off', skipBecause(elsewhere), () => {
    const shell = `echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"`;
    const { stdout, status } = spawnSync(
      'unshare',
      ['-Ur', 'sh', '-c', shell, 'sh', process.execPath, GATE, 'doctor', '--json'],
      { env: home.env, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    const { of, ok } = read(stdout);
    expect(ok).toBe(false);
    expect(of('namespaces')).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('user.max_user_namespaces is 0'),
      fix: 'sudo sysctl user.max_user_namespaces=10000',
    });
    expect(of('jail')).toMatchObject({ status: 'skip', detail: expect.stringContaining('Namespaces') });
  });
});

test('a broken home: told, told what would be done, repaired, and whole for gate verify', async () => {
  chmodSync(paths.data, 0o755);
  appendFileSync(paths.heads, '{"torn');
  rmSync(paths.caKey);
  writeFileSync(paths.index, 'garbage');
  const broken = await home.gate(['doctor', '--json']);
  expect(broken.exitCode).toBe(1);
  expect(read(broken.stdout).unwell.map(({ id, status }) => `${id} ${status}`)).toEqual([
    'storage fail',
    'ca fail',
    'index fail',
  ]);
  const before = snapshot(home.dir);
  const would = read((await home.gate(['doctor', '--dry-run', '--auto-repair', '--json'])).stdout);
  expect(would.of('index')?.wouldRepair).toEqual(['make the index anew from the ledgers']);
  expect(snapshot(home.dir)).toEqual(before);
  const repaired = await home.gate(['doctor', '--auto-repair', '--json']);
  expect(repaired.exitCode).toBe(0);
  expect(read(repaired.stdout).of('ca')?.repaired?.length).toBe(1);
  expect(read((await home.gate(['doctor', '--strict', '--json'])).stdout).unwell).toEqual([]);
  expect((await home.gate(['verify'])).stdout).toContain('1 run verified');
});

test('warnings are 0, and 1 with --strict', async () => {
  const env = { GATE_HOME: join(home.dir, 'fresh') };
  expect((await home.gate(['doctor'], { env })).exitCode).toBe(0);
  expect((await home.gate(['doctor', '--strict'], { env })).exitCode).toBe(1);
});

test('without helper and native module doctor starts, and says how to get them', () => {
  const { root, cli } = copyOfGate('dist/native', 'node_modules/better-sqlite3');
  const { status, stdout } = spawnSync(process.execPath, [cli, 'doctor', '--json'], {
    env: { ...home.env, NODE_PATH: '' },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const { of } = read(stdout);
  expect(of('native-module')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('better-sqlite3 is missing'),
    fix: `cd ${root} && npm ci`,
  });
  expect(of('helper')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('gate-jail) is missing'),
  });
  expect(of('jail')).toMatchObject({ status: 'skip' });
  expect(of('config')).toMatchObject({ status: 'ok' });
  expect(of('ca')).toMatchObject({ status: 'ok' });
  rmSync(root, { recursive: true, force: true });
});

test.each([
  ['broken', 'no program', 'better-sqlite3 does not load: '],
  ['missing', undefined, 'better-sqlite3 does not load: Cannot find module'],
])('a native module that is %s: each command says so, and what to type', (state, content, message) => {
  const binary = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
  const { root, cli } = copyOfGate(binary);
  if (content !== undefined) writeFileSync(join(root, binary), content);
  const fix = `npm --prefix ${join(root, 'node_modules', 'better-sqlite3')} run install`;
  const env = { ...home.env, GATE_HOME: join(home.dir, state) };
  const gate = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { env, encoding: 'utf8' });
  for (const args of [['run', '--', 'true'], ['events'], ['allow', 'example.test']]) {
    const { status, stderr } = gate(...args);
    expect([args[0], status, stderr]).toEqual([args[0], 125, expect.stringContaining(message)]);
    expect(stderr).toMatch(`\n  ${fix}\n`);
    expect(stderr.split('\n').length).toBe(3);
  }
  const { of } = read(gate('doctor', '--json').stdout);
  expect(of('native-module')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining(message),
    fix,
  });
  rmSync(root, { recursive: true, force: true });
});

test('a helper that does not start: a clone builds it again, a package is installed again', () => {
  const { root, cli } = copyOfGate();
  const installed = join(root, 'elsewhere', 'node_modules', 'gate-run');
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(join(root, 'dist', 'native', 'gate-jail'), 'no program');
  const fix = (path: string) => {
    const { stdout } = spawnSync(process.execPath, [path, 'doctor', '--json'], {
      env: home.env,
      encoding: 'utf8',
    });
    return read(stdout).of('helper')?.fix;
  };
  expect(fix(cli)).toBe(`cd ${root} && npm run build`);
  for (const name of ['dist', 'profiles', 'package.json', 'node_modules'])
    cpSync(join(root, name), join(installed, name), { recursive: true });
  expect(fix(join(installed, 'dist', 'cli.js'))).toBe('npm install --global gate-run');
  rmSync(root, { recursive: true, force: true });
});

test('inside a jail doctor says so and repairs nothing', async () => {
  const inside = await home.gate(['run', '--', process.execPath, GATE, 'doctor', '--json']);
  expect(inside.exitCode).toBe(0);
  const { of } = read(inside.stdout);
  expect(of('environment')).toMatchObject({
    status: 'warn',
    detail: expect.stringMatching(/inside gate run/),
  });
  expect(of('storage')).toMatchObject({ status: 'skip', detail: expect.stringMatching(/inside gate run/) });
  const repair = await home.gate(['run', '--', process.execPath, GATE, 'doctor', '--auto-repair']);
  expect(repair.exitCode).toBe(1);
  expect(repair.stderr).toContain("gate's own files cannot be changed from inside");
});
