import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { within } from '../helpers/shell.ts';
import { skipBecause } from '../helpers/skips.ts';
import { startTerminal, type Terminal, tmuxMissing } from '../helpers/tmux.ts';

const missing = tmuxMissing();

/** A person at a real terminal, the built product, and a shell's job control between them. */
describe('job control', skipBecause(missing), () => {
  let home: TestHome;
  let terminal: Terminal;
  beforeAll(() => {
    home = testHome();
  });
  afterAll(() => home?.remove());
  beforeEach(async () => {
    terminal = await startTerminal(home);
  });
  afterEach(() => terminal?.close());

  const COUNTS = `sh -c 'echo up; i=0; while :; do i=$((i+1)); echo $i > count; sleep 0.05; done'`;
  const count = () => Number(readFileSync(join(home.dir, 'count'), 'utf8'));
  const grows = async (from: number) => within(3000, () => count() > from + 1);

  // promise: jail.self, exit.signal
  test('Ctrl-C ends a command that does not handle it', async () => {
    await terminal.run("gate run -- sh -c 'echo up; exec sleep 100'");
    await terminal.shows(/^up$/m);
    terminal.press('C-c');
    expect(await terminal.answer('echo $?')).toBe('130');
    expect(home.ledger().at(-1)).toMatchObject({ type: 'run.end', signal: 'SIGINT' });
  });

  test('Ctrl-C is heard by a program that handles it and lives on', async () => {
    await terminal.run(
      `gate run -- bash -c 'trap "echo heard" INT; echo up; read line; echo got $line; exit 5'`,
    );
    await terminal.shows(/^up$/m);
    terminal.press('C-c');
    await terminal.shows(/heard$/m);
    terminal.type('more');
    terminal.press('Enter');
    await terminal.shows(/^got more$/m);
    expect(await terminal.answer('echo $?')).toBe('5');
  });

  test('Ctrl-C ends a loop around gate', async () => {
    await terminal.run(`for i in 1 2 3; do gate run -- sh -c 'echo up; exec sleep 5'; done`);
    await terminal.shows(/^up$/m);
    terminal.press('C-c');
    expect(await terminal.answer('echo $? $i')).toBe('130 1');
  });

  test('Ctrl-\\ quits', async () => {
    await terminal.run("gate run -- sh -c 'ulimit -c 0; echo up; exec sleep 100'");
    await terminal.shows(/^up$/m);
    terminal.press('C-\\');
    expect(await terminal.answer('echo $?')).toBe('131');
    expect(home.ledger().at(-1)).toMatchObject({ type: 'run.end', signal: 'SIGQUIT' });
  });

  // promise: jail.self
  test('Ctrl-Z stops it, jobs shows it, bg and fg continue it', async () => {
    await terminal.run(`gate run -- ${COUNTS}`);
    await terminal.shows(/^up$/m);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    expect(await terminal.answer('echo $?')).toBe('148');
    expect(await terminal.answer('jobs')).toMatch(/^\[1\]\+ {2}Stopped +gate run/);
    const stopped = count();
    expect(await terminal.answer('sleep 0.3')).toBe('');
    expect(count()).toBe(stopped);

    await terminal.run('bg');
    expect(await grows(stopped)).toBe(true);
    expect(await terminal.answer('jobs')).toMatch(/Running/);
    await terminal.run('fg');
    await terminal.shows(/^gate run/m);
    expect(await grows(count())).toBe(true);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    await terminal.run('fg');
    await terminal.shows(/^gate run/m);
    expect(await grows(count())).toBe(true);
    terminal.press('C-c');
    expect(await terminal.answer('echo $?')).toBe('130');
  });

  test('a program that stops itself is shown as stopped, and fg revives it', async () => {
    await terminal.run(`gate run -- sh -c 'echo up; kill -STOP $$; echo revived; exit 3'`);
    await terminal.shows(/Stopped/);
    await terminal.run('fg');
    await terminal.shows(/^revived$/m);
    expect(await terminal.answer('echo $?')).toBe('3');
  });

  test('kill %1 ends a stopped job once it is continued, and kill -CONT continues it', async () => {
    await terminal.run(`gate run -- ${COUNTS}`);
    await terminal.shows(/^up$/m);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    const stopped = count();
    await terminal.run('kill -CONT %1');
    expect(await grows(stopped)).toBe(true);
    await terminal.run('kill %1; wait %1; echo status=$?');
    await terminal.shows(/^status=143$/m);
  });

  test('in the background it stops when it reads the terminal, and reads after fg', async () => {
    await terminal.run('gate run -- cat &');
    await terminal.shows(/\[1\] \d+/);
    expect(await within(8000, () => stateOf(terminal) === 'T')).toBe(true);
    expect(await terminal.answer('jobs')).toMatch(/Stopped/);
    await terminal.run('fg');
    await terminal.shows(/^gate run -- cat$/m);
    terminal.type('typed');
    terminal.press('Enter');
    await terminal.shows(/^typed\ntyped$/m);
    terminal.press('C-d');
    expect(await terminal.answer('echo $?')).toBe('0');
  });

  test('in the background it writes, and its shell keeps the terminal', async () => {
    await terminal.run(`gate run -- sh -c 'sleep 0.3; echo from behind' & wait; echo over`);
    await terminal.shows(/^from behind$/m);
    await terminal.shows(/^over$/m);
    expect(await terminal.answer('echo still here')).toBe('still here');
  });

  // promise: jail.death
  test('gate killed while the command has the terminal leaves a usable shell', async () => {
    await terminal.run(`gate run -- sh -c 'stty raw -echo; echo up; exec sleep 100'`);
    await terminal.shows(/up/);
    process.kill(jobOf(terminal), 'SIGKILL');
    await terminal.shows(/Killed/);
    expect(await terminal.answer('echo $?; echo typed and seen')).toBe('137\ntyped and seen');
    expect(terminal.screen()).toContain('> echo $?; echo typed and seen');
    terminal.press('C-c');
    expect(await terminal.answer('stty -a | grep -ow "icanon echo\\|icanon"')).toBe('icanon');
  });
});

/** The job that the shell started, which is gate itself. */
function jobOf(terminal: Terminal): number {
  const found = spawnSync('pgrep', ['-P', String(terminal.shellPid())], { encoding: 'utf8' });
  const pid = Number(found.stdout.trim());
  // 0 would be this test's own group.
  if (!(pid > 0)) throw new Error(`expected one job, found: ${found.stdout}`);
  return pid;
}

/** The kernel's letter for the state of the job: `T` is stopped. */
function stateOf(terminal: Terminal): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${jobOf(terminal)}/stat`, 'utf8'))?.[1];
}
