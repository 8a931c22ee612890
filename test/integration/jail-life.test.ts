import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, type Running, type User, users } from '../helpers/jail-rig.ts';
import { alive, childOf } from '../helpers/processes.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();

/** Starts processes that try to survive: a job, one in a session of its own, double-forked ones, a stopped one. */
const survivors = (marker: string, then = 'wait'): string => `
  for i in 1 2 3; do (setsid bash -c 'bash -c "exec -a ${marker} sleep 300" & exit' &) ; done
  bash -c 'trap "" TERM HUP INT; exec -a ${marker} sleep 300' &
  bash -c 'kill -STOP $$; exec -a ${marker} sleep 300' ${marker} &
  setsid bash -c 'exec -a ${marker} sleep 300' &
  echo up; ${then}`;
/** Finds those that have got to their sleep, not who has the marker in a script: all of them but the stopped one. */
const asleep = (marker: string): string => `^${marker} 300$`;
const ASLEEP = 5;

async function until(condition: () => boolean, ms: number): Promise<number> {
  const start = Date.now();
  while (!condition() && Date.now() - start < ms) await sleep(10);
  return Date.now() - start;
}

async function ready({ child }: Running): Promise<void> {
  let text = '';
  child.stdout?.on('data', (data) => {
    text += data;
  });
  await until(() => text.includes('ready'), 20_000);
}

describe('life and death of a jail', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  const startSurvivors = async (user: User, marker: string): Promise<Running> => {
    const running = rig.startJailed(user, ['bash', '-c', survivors(marker)]);
    await until(() => alive(asleep(marker)) === ASLEEP, 20_000);
    expect(alive(asleep(marker))).toBe(ASLEEP);
    return running;
  };

  describe.each(users())('as $name', (user) => {
    it.each([
      ['exit 0', { exitCode: 0 }],
      ['exit 42', { exitCode: 42 }],
      ['exit 125', { exitCode: 125 }],
      ['exit 126', { exitCode: 126 }],
      ['exit 127', { exitCode: 127 }],
      ['kill -TERM $$', { signal: 'SIGTERM', number: 15 }],
      ['kill -SEGV $$', { signal: 'SIGSEGV', number: 11 }],
      ['kill -KILL $$', { signal: 'SIGKILL', number: 9 }],
      ['kill -ABRT $$', { signal: 'SIGABRT', number: 6 }],
      ['kill -34 $$', { signal: 'SIGRTMIN', number: 34 }],
      ['kill -37 $$', { signal: 'SIGRTMIN+3', number: 37 }],
    ])('tells how `%s` ended', async (script, end) => {
      const inside = await rig.jailed(user, ['bash', '-c', script]);
      expect(inside.end).toEqual(end);
    });

    it('tells 127 from 126, and neither from the command’s own', async () => {
      const home = rig.home(user);
      const made = spawnSync('sh', [
        '-c',
        `cd ${home}; echo 'echo script $1' > text; echo x > plain; mkdir folder; cp text noexec; chmod 755 text
         printf '#!/no/such/interpreter\\n' > orphan; printf '\\177ELF\\0\\1' > broken; chmod 755 orphan broken; chmod 644 noexec`,
      ]);
      expect(made.status).toBe(0);
      const codes: Record<string, number | null> = {};
      for (const name of [
        'no-such-command',
        '/no/such',
        `${home}/noexec`,
        `${home}/folder`,
        `${home}/orphan`,
        `${home}/broken`,
      ]) {
        const inside = await rig.jailed(user, [name]);
        codes[name.replace(`${home}/`, '')] = inside.code;
        expect(inside.end).toBeUndefined();
        expect(inside.stderr).toMatch(/^gate: .*/);
      }
      expect(codes).toEqual({
        'no-such-command': 127,
        '/no/such': 127,
        noexec: 126,
        folder: 126,
        orphan: 126,
        broken: 126,
      });
      const text = await rig.jailed(user, ['./text', 'works'], { cwd: home });
      expect(text).toMatchObject({ code: 0, stdout: 'script works\n' });
      const searched = await rig.jailed(user, ['text', 'found'], {
        cwd: '/',
        env: { PATH: `/nowhere:${home}:/bin:/usr/bin` },
      });
      expect(searched).toMatchObject({ code: 0, stdout: 'script found\n' });
      const here = await rig.jailed(user, ['text', 'here'], { cwd: home, env: { PATH: ':/bin:/usr/bin' } });
      expect(here.stdout).toBe('script here\n');
    });

    it('hands on nothing but three descriptors, the environment as given and the umask', async () => {
      const inside = await rig.jailed(user, ['sh', '-c', 'ls /proc/self/fd | wc -l; env | sort; umask'], {
        env: { PATH: '/usr/bin:/bin', ONLY: 'this' },
      });
      expect(inside.stdout).toBe(`4\nONLY=this\nPATH=/usr/bin:/bin\nPWD=${rig.dir}/env-${user.name}\n0022\n`);
    });

    it('leaves nothing behind when gate is killed', async () => {
      const marker = `mark-${user.name}-${process.pid}-k`;
      const running = await startSurvivors(user, marker);
      process.kill(running.child.pid ?? 0, 'SIGKILL');
      const took = await until(() => alive(marker) === 0, 3000);
      expect(alive(marker)).toBe(0);
      expect(took).toBeLessThan(1000);
      await running.outcome;
    });

    it('leaves nothing behind when gate is killed while helper and init are stopped', async () => {
      const marker = `mark-${user.name}-${process.pid}-s`;
      const running = await startSurvivors(user, marker);
      const helper = childOf(running.child.pid);
      for (const pid of [helper, childOf(helper, 'gate-jail')]) process.kill(pid, 'SIGSTOP');
      process.kill(running.child.pid ?? 0, 'SIGKILL');
      await until(() => alive(marker) === 0, 3000);
      expect(alive(marker)).toBe(0);
      await running.outcome;
    });

    it.each(['helper', 'init', 'broker'] as const)(
      'leaves nothing behind when its %s is killed',
      async (which) => {
        const marker = `mark-${user.name}-${process.pid}-${which}`;
        const running = await startSurvivors(user, marker);
        const helper = childOf(running.child.pid);
        const name = { helper: undefined, init: 'gate-jail', broker: 'gate-broker' }[which];
        process.kill(name === undefined ? helper : childOf(helper, name), 'SIGKILL');
        const outcome = await running.outcome;
        expect(alive(marker)).toBe(0);
        if (which !== 'broker') {
          expect(outcome.end).toEqual({ signal: 'SIGKILL', number: 9 });
          return;
        }
        expect(outcome).toMatchObject({ code: 125, end: undefined });
        expect(outcome.stderr).toContain('a part of the jail failed');
      },
    );

    it('ends what still runs when the command ends', async () => {
      const marker = `mark-${user.name}-${process.pid}-e`;
      const inside = await rig.jailed(user, [
        'bash',
        '-c',
        survivors(
          marker,
          `until [ "$(pgrep -cf '${asleep(marker)}')" = ${ASLEEP} ]; do sleep 0.05; done; exit 3`,
        ),
      ]);
      expect(inside.end).toEqual({ exitCode: 3 });
      expect(alive(marker)).toBe(0);
    });

    it('passes signals to the command’s group', async () => {
      const running = rig.startJailed(user, [
        'bash',
        '-c',
        'trap "echo got; exit 9" USR2; echo ready; while :; do sleep 0.05; done',
      ]);
      await ready(running);
      running.child.kill('SIGUSR2');
      const outcome = await running.outcome;
      expect(outcome).toMatchObject({ stdout: 'ready\ngot\n', end: { exitCode: 9 } });
    });

    it('tells how the command ended also to who had no time to read it and passed on one more signal', async () => {
      const running = rig.startJailed(
        user,
        ['sh', '-c', 'echo ready; exec sleep 60'],
        {},
        { JAIL_LATE: '1' },
      );
      await ready(running);
      running.child.kill('SIGTERM');
      expect((await running.outcome).end).toEqual({ signal: 'SIGTERM', number: 15 });
    });

    it('tells how the command ended also when signals for it came too late', async () => {
      const running = rig.startJailed(user, ['sh', '-c', 'echo ready; exec sleep 60']);
      await ready(running);
      const helper = childOf(running.child.pid);
      const init = childOf(helper, 'gate-jail');
      process.kill(init, 'SIGSTOP');
      process.kill(childOf(init), 'SIGTERM');
      for (const late of ['SIGUSR2', 'SIGQUIT', 'SIGHUP'] as const) running.child.kill(late);
      await sleep(500);
      process.kill(helper, 'SIGSTOP');
      process.kill(init, 'SIGCONT');
      await sleep(500);
      process.kill(helper, 'SIGCONT');
      expect((await running.outcome).end).toEqual({ signal: 'SIGTERM', number: 15 });
    });

    it('keeps its own process group: a command that kills its group kills only itself', async () => {
      const inside = await rig.jailed(user, ['bash', '-c', 'kill -9 0']);
      expect(inside.end).toEqual({ signal: 'SIGKILL', number: 9 });
    });

    it('ends at once when its command is not started after all', async () => {
      let quickest = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round += 1) {
        const before = Date.now();
        const running = rig.startJailed(user, ['true'], {}, { JAIL_UNUSED: '1' });
        expect(await running.outcome).toMatchObject({ code: 0, stderr: '' });
        quickest = Math.min(quickest, Date.now() - before);
      }
      // A part that does not hear of it is killed after a second.
      expect(quickest).toBeLessThan(1000);
    });

    it('delivers what was refused just before the end', async () => {
      const inside = await rig.jailed(user, ['bash', '-c', 'exec 3<>/dev/tcp/192.0.2.9/4444; exit 1']);
      expect(inside.refused).toEqual([{ proto: 'tcp', address: '192.0.2.9', port: 4444, count: 1 }]);
    });

    it('lets go of the output, so that a reader sees its end', async () => {
      const inside = await rig.jailed(user, ['sh', '-c', 'yes | head -1; seq 200000 | tail -1']);
      expect(inside.stdout).toBe('y\n200000\n');
    });
  });
});
