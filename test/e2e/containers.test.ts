import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { copyOfGate } from '../helpers/copy-of-gate.ts';
import { jailMissing } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

/** Root of a user namespace that is not the machine's: as in containers, and under `unshare -r`. */
const FIRST_ID = 200_000;

/** Makes a namespace as rootless containers have it: root inside is an ordinary user outside, with 65,536 ids. */
const CONTAINER = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
asked, told = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.setgroups([]); os.setgid(${FIRST_ID}); os.setuid(${FIRST_ID})
    libc.prctl(4, 1, 0, 0, 0)
    assert libc.unshare(0x10000000) == 0
    os.write(asked[1], b'x'); os.read(told[0], 1)
    os.setgroups([0, 4]); os.setgid(0); os.setuid(0)
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(asked[0], 1)
for name in ('uid_map', 'gid_map'):
    open(f'/proc/{child}/{name}', 'w').write('0 ${FIRST_ID} 65536')
os.write(told[1], b'x')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`;

const noRoot = process.getuid?.() === 0 ? jailMissing() : 'needs root to map the ids of a container';
const WAYS = [
  { name: 'a namespace of one id', enter: ['unshare', '-Ur'], uid: undefined, unless: jailMissing() },
  { name: 'a container', enter: ['python3', '-c', CONTAINER], uid: FIRST_ID, unless: noRoot },
];

describe.each(WAYS)('as root of $name', ({ enter, uid, unless }) => {
  test('gate demo shows that all holds', skipBecause(unless), async () => {
    const { root, cli } = copyOfGate();
    const home = mkdtempSync(join(tmpdir(), 'gate-container-'));
    if (uid !== undefined) chownSync(home, uid, uid);
    const env = { HOME: home, GATE_HOME: join(home, 'gate'), PATH: process.env['PATH'] ?? '' };
    const inside = (...command: string[]) =>
      execa(enter[0] ?? '', [...enter.slice(1), ...command], {
        ...{ env, extendEnv: false, cwd: home, reject: false, timeout: 60_000 },
      });
    const id = await inside('id');
    const jailed = await inside(process.execPath, cli, 'run', '--quiet', '--', 'id');
    expect(jailed).toMatchObject({ exitCode: 0, stderr: '', stdout: id.stdout });
    const demo = await inside(process.execPath, cli, 'demo');
    expect(demo.exitCode, demo.stdout + demo.stderr).toBe(0);
    for (const dir of [root, home]) rmSync(dir, { recursive: true, force: true });
  });
});
