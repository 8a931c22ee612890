import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, users } from '../helpers/jail-rig.ts';

const missing = jailMissing();
if (missing) process.stderr.write(`skipped: ${missing}\n`);
const source = fileURLToPath(new URL('../helpers/jail-connects.c', import.meta.url));

/** Threads and descriptors that a call leaves behind are as many as the calls; what is idle is a handful. */
const IDLE = { threads: 8, descriptors: 24 };

const children = (pid: number | undefined, name: string): readonly number[] =>
  spawnSync('pgrep', ['-P', String(pid), '-x', name], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number);

describe.skipIf(missing)('connections in the jail', () => {
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
    const calm = (): boolean => left('task') <= IDLE.threads && left('fd') <= IDLE.descriptors;
    for (let i = 0; i < 100 && !calm(); i++) await sleep(50);
    expect({ threads: left('task'), descriptors: left('fd') }).toSatisfy(calm);
    running.child.kill('SIGTERM');
    expect((await running.outcome).stderr).toBe('');
  });
});
