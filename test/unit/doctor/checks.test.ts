import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GateError } from '../../../src/core/errors.ts';
import { dateProblems } from '../../../src/doctor/checks/authority.ts';
import { wrongMachine } from '../../../src/doctor/checks/helper.ts';
import { CHECKS } from '../../../src/doctor/checks/list.ts';
import { namespaceProblems } from '../../../src/doctor/checks/namespaces.ts';
import { machineProblems } from '../../../src/doctor/checks/node.ts';
import { spaceProblems } from '../../../src/doctor/disk.ts';
import { type Evidence, judge, waysOut } from '../../../src/doctor/escape/judge.ts';

const levels = (problems: readonly { level: string }[]) => problems.map(({ level }) => level);

test('ids are unique, and every check comes after those that it needs', () => {
  const ids = CHECKS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [index, { needs = [] }] of CHECKS.entries()) {
    for (const id of needs) expect(ids.slice(0, index)).toContain(id);
  }
});

test('Node and kernel that are too old, and systems without a jail', () => {
  const good = { node: '20.19.0', platform: 'linux', arch: 'x64', release: '5.12.0' };
  expect(machineProblems(good)).toEqual([]);
  expect(machineProblems({ ...good, node: '22.1.0', release: '6.8.0-31-generic' })).toEqual([]);
  for (const change of [
    { node: '20.18.1' },
    { node: '18.20.0' },
    { platform: 'darwin' },
    { arch: 'ppc64' },
  ]) {
    expect(levels(machineProblems({ ...good, ...change }))).toEqual(['fail']);
  }
  expect(machineProblems({ ...good, release: '5.10.0' })[0]?.message).toContain('older than 5.12');
});

describe('namespaces', () => {
  const none = { max: undefined, clone: undefined, apparmor: undefined };
  const failure = new GateError('jail_failed', 'the jail could not be built (user-namespace: EPERM)', {
    hint: 'what the helper knows',
  });

  test.each([
    [{ ...none, max: 0 }, 'sudo sysctl user.max_user_namespaces=10000'],
    [{ ...none, clone: 0 }, 'sudo sysctl kernel.unprivileged_userns_clone=1'],
    [{ ...none, apparmor: 1 }, 'profiles/apparmor/gate'],
    [none, 'what the helper knows'],
  ])('a jail that does not stand is explained by the switch that is off: %o', (settings, fix) => {
    const [problem, ...more] = namespaceProblems(settings, failure);
    expect(more).toEqual([]);
    expect(problem?.level).toBe('fail');
    expect(problem?.fix).toContain(fix);
  });

  test('a jail that stands needs no explanation', () => {
    expect(namespaceProblems({ ...none, max: 1000 }, undefined)).toEqual([]);
  });
});

test('a CA is in time, nearly over, over, or made by a clock that is wrong', () => {
  const day = 86_400_000;
  const dates = { notBefore: new Date(0), notAfter: new Date(100 * day) };
  expect(dateProblems(dates, 10 * day)).toEqual([]);
  expect(dateProblems(dates, 80 * day)).toMatchObject([{ level: 'warn', fix: 'gate ca regenerate' }]);
  expect(dateProblems({ ...dates, notBefore: new Date(50 * day) }, 10 * day)).toMatchObject([
    { level: 'fail' },
  ]);
});

test('little space is told, next to none fails', () => {
  const MiB = 1024 * 1024;
  expect(spaceProblems('/data', 5000 * MiB)).toEqual([]);
  expect(levels(spaceProblems('/data', 500 * MiB))).toEqual(['warn']);
  expect(levels(spaceProblems('/data', 5 * MiB))).toEqual(['fail']);
});

test('a helper for another machine, and one that is no program', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gate-elf-'));
  const file = join(dir, 'gate-jail');
  const header = Buffer.alloc(64);
  header.write('\u007fELF', 'latin1');
  header.writeUInt16LE(183, 18);
  writeFileSync(file, header);
  expect(wrongMachine(file, 'arm64')).toBeUndefined();
  expect(wrongMachine(file, 'x64')).toContain('was built for arm64, and this is x64');
  writeFileSync(file, '');
  expect(wrongMachine(file, 'x64')).toContain('is not a program');
  rmSync(dir, { recursive: true });
});

describe('the verdict on an attempt to escape', () => {
  const tcp = [
    { host: '127.0.0.1', port: 4001 },
    { host: '192.0.2.7', port: 4002 },
  ];
  const outside = { files: ['/secret'], environ: 'hash', dns: false, refusals: [] };
  const inside = { files: [], environ: '', dns: true, refusals: ['tcp 127.0.0.1 4001: ECONNREFUSED'] };
  const held: Evidence = {
    outside,
    inside,
    met: new Map(
      ['tcp 127.0.0.1 4001', 'tcp 192.0.2.7 4002', 'udp', 'signal'].map((what) => [
        what,
        new Set(['outside']),
      ]),
    ),
    tcp,
    files: ['/secret'],
    environ: 'hash',
    own: '192.0.2.7',
    refused: [{ proto: 'tcp', address: '192.0.2.7', port: 4002, count: 1 }],
    captured: ['192.0.2.7'],
  };

  test('a jail that holds has nothing against it, and each way counts', () => {
    expect(judge(held)).toEqual([]);
    expect(waysOut(held).length).toBe(6);
  });

  test('every way that is open from inside is a failure of its own', () => {
    const open = judge({
      ...held,
      met: new Map([...held.met].map(([what, who]) => [what, new Set([...who, 'inside'])])),
      inside: { ...inside, files: ['/secret'], environ: 'hash' },
    });
    expect(levels(open)).toEqual(Array(6).fill('fail'));
    expect(open.every(({ message }) => message.startsWith('the jail did not hold'))).toBe(true);
  });

  test('a way that does not lead out without a jail either proves nothing, and says so', () => {
    const [vain, ...more] = judge({
      ...held,
      outside: { ...outside, environ: '', refusals: ['/proc/1: EACCES'] },
    });
    expect(more).toEqual([]);
    expect(vain?.level).toBe('warn');
    expect(vain?.message).toMatch(/^proved nothing.*look into a process outside.*EACCES/);
  });

  test('a jail in which gate is not met, or nobody hears of what is refused, fails', () => {
    expect(levels(judge({ ...held, captured: [] }))).toEqual(['fail']);
    expect(levels(judge({ ...held, refused: [] }))).toEqual(['fail']);
    expect(levels(judge({ ...held, inside: { ...inside, dns: false } }))).toEqual(['fail']);
    expect(judge({ ...held, inside: undefined })[0]?.message).toContain('did not report');
  });
});
