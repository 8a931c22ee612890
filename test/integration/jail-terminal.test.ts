import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing =
  jailMissing() ?? (spawnSync('tmux', ['-V']).status === 0 ? undefined : 'the terminal tests need tmux');

describe('the terminal of a jailed command', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  describe.each(users())('as $name', (user) => {
    // One server a test: one that is about to end would still take a new session.
    let socket = '';
    const tmux = (...args: string[]) => {
      const ids = user.uid === process.getuid?.() ? {} : { uid: user.uid, gid: user.uid };
      const env = { PATH: process.env['PATH'] ?? '', HOME: rig.dir, TERM: 'xterm', LC_ALL: 'C.UTF-8' };
      return spawnSync('tmux', ['-L', socket, ...args], { ...ids, env, encoding: 'utf8' }).stdout;
    };
    const type = (text: string) => tmux('send-keys', '-l', text);
    const press = (key: string) => tmux('send-keys', key);
    const screen = () => tmux('capture-pane', '-p');

    /** Waits until the screen shows it; the screen is in the failure's message. */
    async function shows(pattern: RegExp): Promise<void> {
      for (let i = 0; i < 200; i += 1) {
        if (pattern.test(screen())) return;
        await sleep(50);
      }
      expect(screen()).toMatch(pattern);
    }

    async function run(command: string): Promise<void> {
      press('C-l');
      type(command);
      press('Enter');
      await sleep(100);
    }

    /** The process group that has the terminal: `tpgid` of its first process (proc(5)). */
    function foreground(): string | undefined {
      const stat = readFileSync(`/proc/${tmux('display-message', '-p', '#{pane_pid}').trim()}/stat`, 'utf8');
      return stat.split(') ')[1]?.split(' ')[5];
    }

    /** Keys pressed before the job has the terminal would be the shell's. */
    async function fg(): Promise<void> {
      const shell = foreground();
      await run('fg');
      await expect.poll(foreground, { timeout: 10_000 }).not.toBe(shell);
    }

    const jail = (command: string) => `${process.execPath} ${join(rig.dir, 'driver.mjs')} -- ${command}`;

    beforeEach(async ({ task }) => {
      socket = `gate-jail-${process.pid}-${task.id}`;
      tmux('new-session', '-d', '-x', '150', '-y', '24', 'bash --norc --noprofile');
      await shows(/[$#]/);
      await run("PS1='> '; cd /; clear");
    });
    afterEach(() => {
      tmux('kill-server');
    });

    it('ends by Ctrl-C, with the status of the signal', async () => {
      await run(jail('sh -c "echo up; sleep 100"'));
      await shows(/^up/m);
      press('C-c');
      await shows(/^> /m);
      await run('echo status=$?');
      await shows(/^status=130/m);
    });

    it('ends a loop around it by Ctrl-C', async () => {
      await run(`for i in 1 2 3; do ${jail('sh -c "echo up; sleep 100"')}; done; echo over`);
      await shows(/^up/m);
      press('C-c');
      await run('echo "status=$? i=$i"');
      await shows(/^status=130 i=1/m);
    });

    it('is stopped by Ctrl-Z and continued by fg and bg', async () => {
      await run(jail(`bash -c 'echo up; for i in $(seq 100); do sleep 0.1; done; echo finished'`));
      await shows(/^up/m);
      press('C-z');
      await shows(/Stopped/);
      await run('echo status=$?; jobs');
      await shows(/^status=148[\s\S]*Stopped/m);
      await run('bg');
      await run('sleep 0.5; jobs');
      await shows(/Running/);
      await fg();
      press('C-c');
      await run('echo status=$?');
      await shows(/^status=130/m);
    });

    it('leaves job control to a shell inside, with its terminal’s own name', async () => {
      await run(jail('bash --norc'));
      await shows(/bash-/);
      await run("PS1='inner> '; tty");
      await shows(/^\/dev\/pts\/\d+\ninner>/m);
      const inner = foreground();
      await run('sleep 100');
      await expect.poll(foreground, { timeout: 10_000 }).not.toBe(inner);
      press('C-z');
      await shows(/Stopped/);
      await fg();
      press('C-c');
      await run('echo inner=$?; exit 7');
      await shows(/^inner=130/m);
      await run('echo outer=$?');
      await shows(/^outer=7/m);
    });

    it('sees no other terminal and cannot type into its own', async () => {
      await run(jail(`sh -c '${rig.probe} tiocsti tiocsti:high; ls /dev/pts | wc -l; echo over'`));
      await shows(/^over/m);
      expect(screen()).toMatch(/^tiocsti EPERM\ntiocsti:high EPERM\n2\nover/m);
    });

    it('does not take the terminal from a pager', async () => {
      await run(`${jail('seq 500')} | less; echo status=$?`);
      await shows(/^1\n2\n3/m);
      press('G');
      await shows(/^500/m);
      press('q');
      await shows(/^status=0/m);
    });

    it('gets the terminal when it asks for it', async () => {
      await run(`true | ${jail('sh -c "echo up; read line </dev/tty; echo got \\$line"')}`);
      await shows(/^up/m);
      type('words');
      press('Enter');
      await shows(/^got words$/m);
    });

    it('reads only in the foreground', async () => {
      await run(`${jail('cat')} &`);
      // A shell tells of its jobs when it prompts.
      await expect.poll(() => press('Enter') + screen(), { timeout: 10_000 }).toMatch(/Stopped/);
      await fg();
      type('typed');
      press('Enter');
      await shows(/^typed\ntyped$/m);
      press('C-d');
      await run('echo status=$?');
      await shows(/^status=0/m);
    });

    it('gives the terminal back as it was', async () => {
      await run(jail(`sh -c 'stty raw -echo; kill -9 $$'`));
      await shows(/^Killed/m);
      await run('stty -a | grep -o " icanon"; echo status=$?');
      await shows(/icanon\n/);
    });

    it('hears of a new size', async () => {
      await run(jail(`bash -c 'trap "stty size" WINCH; echo up; for i in $(seq 50); do sleep 0.1; done'`));
      await shows(/^up/m);
      tmux('resize-window', '-x', '90', '-y', '20');
      await shows(/^20 90/m);
      press('C-c');
    });
  });
});
