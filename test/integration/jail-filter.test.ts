import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jailMissing } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SOURCES = [
  'test/helpers/jail-filter.c',
  ...['seccomp', 'filter', 'refusals'].map((name) => `platform/linux/native/${name}.c`),
].map(file);

const has = (...tools: string[]): boolean =>
  tools.every((tool) => spawnSync(tool, ['--version']).status === 0);
const missing = jailMissing();
const FOREIGN_CC = 'aarch64-linux-gnu-gcc';
const noForeignCc = !has(FOREIGN_CC) && `no ${FOREIGN_CC} here`;
const foreign = has(FOREIGN_CC, 'qemu-aarch64-static');

/** What the filter must answer, whatever the processor. */
const NESTED = {
  foreign: 'kill',
  connect: 'notify',
  listen: 'notify',
  pair: 'notify',
  datagram: 'Socket type not supported',
  vsock: 'Address family not supported by protocol',
  raw: 'Operation not permitted',
  TIOCSTI: 'Operation not permitted',
  snapshot: 'Operation not permitted',
  TCGETS: 'allow',
  'user namespace': 'allow',
  'cgroup namespace': 'Operation not permitted',
  'cgroup namespace by clone': 'Operation not permitted',
  thread: 'allow',
  listener: 'Device or resource busy',
  filter: 'allow',
  renameat2: 'notify',
  rmdir: 'notify',
  unlinkat: 'allow',
  process_vm_writev: 'Operation not permitted',
  io_uring_setup: 'Function not implemented',
  later: 'Function not implemented',
};
const FILES = { unlinkat: 'notify' };
const ALONE = {
  'user namespace': 'Operation not permitted',
  'user namespace by clone': 'Operation not permitted',
  mount: 'Operation not permitted',
  // No other mounts than the jail's can be had.
  renameat2: 'allow',
  rmdir: 'allow',
};

describe('the filter of system calls', skipBecause(missing), () => {
  const dir = mkdtempSync(join(tmpdir(), 'gate-filter-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  describe.each([
    ['this processor', 'cc', []],
    ['aarch64', FOREIGN_CC, ['qemu-aarch64-static']],
  ])('for %s', (name, compiler, emulator) => {
    const program = join(dir, compiler);
    const unable = emulator.length > 0 && !foreign && `no ${compiler} or no ${emulator[0]} here`;
    beforeAll(() => {
      if (unable) return;
      const flags = ['-std=gnu11', '-Wall', '-Werror', '-static', '-Wl,--wrap=syscall', '-o', program];
      const made = spawnSync(compiler, [...flags, ...SOURCES], { encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
    }, 60_000);

    const verdicts = (...how: string[]): Record<string, string> => {
      const [first = '', ...rest] = [...emulator, program, ...how];
      const lines = spawnSync(first, rest, { encoding: 'utf8' }).stdout.trim().split('\n');
      const cut = /^(.*?) (allow|notify|kill|[A-Z].*)$/;
      return Object.fromEntries(lines.map((line) => (cut.exec(line) ?? []).slice(1, 3)));
    };

    it(`answers what it must (${name})`, skipBecause(unable), () => {
      expect(verdicts('nested', 'folders')).toMatchObject(NESTED);
      expect(verdicts('nested', 'files')).toMatchObject({ ...NESTED, ...FILES });
      expect(verdicts('alone', 'folders')).toMatchObject({ ...NESTED, ...ALONE });
    });
  });
});

it('the whole helper is built for aarch64, without a warning', {
  ...skipBecause(missing ?? noForeignCc),
  timeout: 60_000,
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'gate-foreign-'));
  const env = { ...process.env, CC: FOREIGN_CC };
  const build = [file('platform/linux/native/build.mjs'), dir];
  const made = spawnSync(process.execPath, build, { env, encoding: 'utf8' });
  expect(made).toMatchObject({ status: 0, stderr: '' });
  // ELF's e_machine: 183 is AArch64.
  expect(readFileSync(join(dir, 'gate-jail')).readUInt16LE(18)).toBe(183);
  rmSync(dir, { recursive: true });
});
