import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();
const source = fileURLToPath(new URL('../helpers/jail-connects.c', import.meta.url));

/** Threads and descriptors that a call leaves behind are as many as the calls; what is idle is a handful. */
const IDLE = { threads: 8, descriptors: 24 };

const children = (pid: number | undefined, name: string): readonly number[] =>
  spawnSync('pgrep', ['-P', String(pid), '-x', name], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** From a user namespace of its own, by the `/proc/PID` of a process that it may not look into, and by its own. */
const BY_OTHERS = `
import ctypes, os, socket
l = socket.socket(socket.AF_UNIX); l.bind('s'); l.listen(); os.mkdir('folder'); outer = os.getpid()
if os.fork() == 0:
    ids = [('setgroups', 'deny'), ('uid_map', '%d %d 1' % (os.getuid(), os.getuid())),
           ('gid_map', '%d %d 1' % (os.getgid(), os.getgid()))]
    assert ctypes.CDLL(None).unshare(0x10020000) == 0
    for name, text in ids: open('/proc/self/' + name, 'w').write(text)
    for base in ('/proc/%d/cwd' % outer, '/proc/%d/root' % outer + os.getcwd(), '/proc/self/cwd'):
        for what in (lambda: socket.socket(socket.AF_UNIX).connect(base + '/s'),
                     lambda: os.rename(base + '/folder', base + '/moved')):
            try: what(); print('done')
            except OSError: print('refused')
else: os.wait()
`;

describe('connections in the jail', skipBecause(missing), () => {
  let rig: Rig;
  let connects: string;
  beforeAll(async () => {
    rig = await createRig();
    connects = join(rig.dir, 'connects');
    const made = spawnSync('cc', ['-O1', '-static', '-pthread', '-o', connects, source], {
      encoding: 'utf8',
    });
    expect(made.status, made.stderr).toBe(0);
  }, 120_000);
  afterAll(() => rig?.remove());

  const at = (folder: string, command: string) => ['sh', '-c', `cd ${folder} && ${connects} ${command}`];

  it.each(users())('mean what they mean outside, as $name', async (user) => {
    const outside = await rig.outside(user, at(rig.home(user), 'meanings'));
    expect(outside.stdout.trim().split('\n').length).toBeGreaterThan(35);
    const inside = await rig.jailed(user, at(rig.home(user), 'meanings'));
    expect(inside.stdout).toBe(outside.stdout);
  });

  it.each(users())('and renames lend nobody a look into other processes, as $name', async (user) => {
    const answers = 'refused\nrefused\nrefused\nrefused\ndone\ndone\n';
    const script = (home: string) => ['sh', '-c', `cd ${home} && exec python3 -c "$0"`, BY_OTHERS];
    expect((await rig.outside(user, script(rig.home(user)))).stdout).toBe(answers);
    expect((await rig.jailed(user, script(rig.home(user)))).stdout).toBe(answers);
  });

  it.each(users())('are all made in a flood, which leaves nothing behind, as $name', async (user) => {
    const flood = at(rig.home(user), 'flood 50 8 50; sleep 60');
    const running = rig.startJailed(user, flood);
    let said = '';
    running.child.stdout?.on('data', (text: string) => {
      said += text;
    });
    for (let i = 0; i < 1200 && !said.includes('\n'); i++) await sleep(50);
    expect(said).toBe('20000 of 20000, 0 failed\n');
    const [broker] = children(children(running.child.pid, 'gate-jail')[0], 'gate-broker');
    const left = (what: string): number => readdirSync(`/proc/${broker}/${what}`).length;
    // Only root may look into a process that has capabilities.
    const descriptors = (): number => (process.geteuid?.() === 0 ? left('fd') : 0);
    const calm = (): boolean => left('task') <= IDLE.threads && descriptors() <= IDLE.descriptors;
    for (let i = 0; i < 100 && !calm(); i++) await sleep(50);
    expect({ threads: left('task'), descriptors: descriptors() }).toSatisfy(calm);
    running.child.kill('SIGTERM');
    expect((await running.outcome).stderr).toBe('');
  });
});
