import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BROKEN_HOMES } from '../../fixtures/homes/broken.ts';
import { healthyHome } from '../../fixtures/homes/healthy.ts';
import { packageRoot } from '../../src/core/package-root.ts';
import { type GatePaths, gatePaths } from '../../src/core/paths.ts';
import type { CheckContext } from '../../src/doctor/check.ts';
import { CHECKS } from '../../src/doctor/checks/list.ts';
import { type RepairMode, runChecks } from '../../src/doctor/runner.ts';
import { doctorJson } from '../../src/output/doctor.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** Those that look at the home; the others look at the machine and are tried with the whole product. */
const HOME_CHECKS = ['home', 'native-module', 'storage', 'lock', 'config', 'lists', 'ca', 'runs', 'index'];

let dir: string;
let paths: GatePaths;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gate-home-'));
  paths = healthyHome(join(dir, 'gate'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function examine(mode: RepairMode, home = join(dir, 'gate')) {
  const env = { GATE_HOME: home };
  const context: CheckContext = {
    env,
    cwd: '/',
    paths: () => gatePaths(env),
    root: packageRoot,
    inside: undefined,
  };
  const checks = CHECKS.filter(({ id }) => HOME_CHECKS.includes(id));
  const results = await runChecks(checks, context, mode);
  return doctorJson(results, { ok: true, isDryRun: mode === 'tell' }).checks;
}

type Checks = Awaited<ReturnType<typeof examine>>;
const unwell = (checks: Checks) => checks.filter(({ status }) => status !== 'ok');

test('a healthy home is well, and looking at it changes nothing', async () => {
  const before = snapshot(dir);
  const checks = await examine('no');
  expect(unwell(checks)).toEqual([]);
  expect(checks.map(({ id }) => id)).toEqual(HOME_CHECKS);
  expect(snapshot(dir)).toEqual(before);
});

describe('a broken home', () => {
  // promise: doctor
  test.each(BROKEN_HOMES.map((broken) => [broken.name, broken] as const))('%s', async (_, broken) => {
    broken.break(paths);
    const before = snapshot(dir);
    const [told, ...others] = unwell(await examine('no'));
    expect(others).toEqual([]);
    expect(told).toMatchObject({ id: broken.check, status: broken.status });
    expect(told?.detail).toMatch(broken.detail);
    expect(told?.fix).toMatch(broken.fix);
    const would = await examine('tell');
    // Neither writes: not a byte, not a mode, not a time.
    expect(snapshot(dir)).toEqual(before);
    expect(would.some(({ wouldRepair }) => wouldRepair !== undefined)).toBe(broken.repaired);

    const repaired = await examine('do');
    const entry = repaired.find(({ id }) => id === broken.check);
    if (!broken.repaired) {
      expect(entry).toEqual(told);
      return;
    }
    expect(entry?.repaired?.length).toBeGreaterThan(0);
    expect(unwell(repaired)).toEqual([]);
    // Once more there is nothing to do.
    const after = snapshot(dir);
    expect((await examine('do')).some((check) => 'repaired' in check)).toBe(false);
    expect(snapshot(dir)).toEqual(after);
  });
});

test('a home that is not made yet has warnings and no failures, and is made by repair', async () => {
  const home = join(dir, 'fresh');
  expect(unwell(await examine('no', home)).map(({ id, status }) => `${id} ${status}`)).toEqual([
    'storage warn',
    'ca warn',
  ]);
  expect(unwell(await examine('do', home))).toEqual([]);
});

test('a relative GATE_HOME fails, and what depends on it is skipped with the reason', async () => {
  const checks = await examine('do', 'relative');
  expect(checks.find(({ id }) => id === 'home')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining("GATE_HOME must be an absolute path, not 'relative'"),
  });
  expect(checks.find(({ id }) => id === 'ca')).toMatchObject({
    status: 'skip',
    detail: 'needs what failed above: Home',
  });
});

test('what cannot be repaired is told as such', async () => {
  // A folder cannot be made below a file.
  const home = paths.configFile;
  const checks = await examine('do', home);
  expect(checks.find(({ id }) => id === 'storage')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('could not make the folder'),
  });
});
