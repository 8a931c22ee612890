import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { alive } from '../helpers/processes.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { within } from '../helpers/shell.ts';
import { skipBecause } from '../helpers/skips.ts';
import { startTerminal, type Terminal, tmuxMissing } from '../helpers/tmux.ts';

const missing = tmuxMissing();
const found = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
/** The leanest vi that there is, reading nobody's configuration. */
const vi = ['vim', 'vim.tiny'].find(found);
const noVi = vi === undefined && 'the editor tests need vim';
const VI = `${vi} -u NONE -i NONE -n -N`;
// biome-ignore lint/suspicious/noTemplateCurlyInString: bash's braces, not ours
const PIPE_STATUS = 'echo ${PIPESTATUS[*]}';
const RAW_AND_KILLED = "gate run --quiet -- sh -c 'stty raw -echo; kill -9 $$'";

// promise: jail.self
describe('programs that own the screen', skipBecause(missing), () => {
  let home: TestHome;
  let terminal: Terminal;
  beforeAll(() => {
    home = testHome();
    writeFileSync(join(home.dir, 'lines.txt'), `${seq(200)}\n`);
  });
  afterAll(() => home?.remove());
  beforeEach(async () => {
    terminal = await startTerminal(home);
  });
  afterEach(() => terminal?.close());

  const text = (name: string) => readFileSync(join(home.dir, name), 'utf8');

  test('vim edits, is stopped, comes back, saves and quits', skipBecause(noVi), async () => {
    await terminal.run(`gate run --quiet -- ${VI} edited.txt`);
    await terminal.shows(/^~\n~/m);
    terminal.type('ione line');
    terminal.press('Escape');
    await terminal.shows(/^one line$/m);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    expect(await terminal.answer('echo $?')).toBe('148');
    await terminal.run('fg');
    await terminal.shows(/^one line\n~/m);
    terminal.type('oa second');
    terminal.press('Escape');
    terminal.type(':wq');
    terminal.press('Enter');
    expect(await terminal.answer('echo $?')).toBe('0');
    expect(text('edited.txt')).toBe('one line\na second\n');
  });

  test('vim draws itself anew when the window changes', skipBecause(noVi), async () => {
    await terminal.run(`gate run --quiet -- ${VI} lines.txt`);
    await terminal.shows(/^29$/m);
    terminal.resize(60, 12);
    await terminal.shows(/^1\n[\s\S]*^11$/m);
    // What is on the screen so far may be tmux's own cut of the old one: vim is asked until it has heard.
    const size = async () => {
      terminal.type(':set columns? lines?');
      terminal.press('Enter');
      const shown = await terminal.shows(/columns=\d+[\s\S]*lines=\d+/);
      terminal.press('Enter');
      return shown;
    };
    await expect.poll(size, { timeout: 20_000 }).toMatch(/columns=60[\s\S]*lines=12/);
    terminal.type(':q!');
    terminal.press('Enter');
    expect(await terminal.answer('echo $?')).toBe('0');
  });

  test('echo | gate run -- vim - edits what came by the pipe', skipBecause(noVi), async () => {
    await terminal.run(`echo from the pipe | gate run --quiet -- ${VI} -`);
    await terminal.shows(/^from the pipe\n~/m);
    terminal.type('A, and typed');
    terminal.press('Escape');
    terminal.type(':w piped.txt');
    terminal.press('Enter');
    terminal.type(':q!');
    terminal.press('Enter');
    expect(await terminal.answer('echo $?')).toBe('0');
    expect(text('piped.txt')).toBe('from the pipe, and typed\n');
  });

  test('less pages, is stopped, comes back and quits', async () => {
    const pager = `less -x8${process.pid} lines.txt`;
    await terminal.run(`gate run --quiet -- ${pager}`);
    await terminal.shows(/^1\n2\n/);
    terminal.press('Space');
    await terminal.shows(/^30\n31\n/);
    expect(await within(10_000, () => alive(`^${pager}$`, 'S') === 1)).toBe(true);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    await terminal.run('fg');
    await terminal.shows(/^30\n31\n/);
    terminal.press('q');
    expect(await terminal.answer('echo $?')).toBe('0');
  });

  test('gate run -- … | less leaves the terminal to less', async () => {
    await terminal.run("gate run --quiet -- sh -c 'echo a; echo b' | less");
    await terminal.shows(/^a\nb\n[\s\S]*\(END\)/m);
    terminal.press('q');
    expect(await terminal.answer(PIPE_STATUS)).toBe('0 0');
    // By its tab stops it is found among the processes. It hears of a signal only while it waits for a key.
    const pager = `less -x9${process.pid}`;
    await terminal.run(`gate run --quiet -- seq 100000 | ${pager}`);
    await terminal.shows(/^1\n2\n/);
    terminal.press('G');
    await terminal.shows(/^100000$/m);
    expect(await within(10_000, () => alive(`^${pager}$`, 'S') === 1)).toBe(true);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    await terminal.run('fg');
    await terminal.shows(/^100000$/m);
    terminal.press('q');
    expect(await terminal.answer('echo $?')).toBe('0');
  });

  test('gate leaves the modes to whoever shares the terminal with it', async () => {
    // The reader makes the terminal raw when gate is up, as a pager does, and looks again when gate has ended.
    const reader = 'read x; stty raw -echo <$T; cat; stty -a <$T >end; stty sane <$T; stty $(cat as) <$T';
    const writer = "gate run --quiet -- sh -c 'echo up; sleep 0.3; echo'";
    writeFileSync(
      join(home.dir, 'pager'),
      `T=/dev/tty\nstty -g >as\nstty -a >before\n${writer} | { ${reader}; }\nstty -a >after\n`,
    );
    await terminal.answer('bash pager');
    expect(text('end')).toMatch(/-icanon [\s\S]*-echo /);
    expect(text('after')).toBe(text('before'));
    writeFileSync(
      join(home.dir, 'asked'),
      'gate run --quiet -- stty -echonl -echo\nstty -a >end\nstty echo\n',
    );
    await terminal.answer('bash asked');
    expect(text('end')).toMatch(/ -echo /);
  });

  test('… | gate run -- less takes the terminal for its keys', async () => {
    await terminal.run('seq 500 | gate run --quiet -- less');
    await terminal.shows(/^1\n2\n/);
    terminal.press('G');
    await terminal.shows(/^500$/m);
    terminal.press('q');
    expect(await terminal.answer(PIPE_STATUS)).toBe('0 0');
  });

  test('a shell inside has job control of its own', async () => {
    await terminal.run('gate run --quiet -- bash --norc --noprofile');
    await terminal.shows(/^bash\S*[$#]$/m);
    terminal.type("PS1='inner> '; clear");
    terminal.press('Enter');
    // By its number it is found among the processes. A key before it has the terminal would be the shell's.
    const nap = `sleep 9${process.pid}`;
    const sleeps = () => within(10_000, () => alive(`^${nap}$`, 'S') === 1);
    await terminal.run(nap);
    expect(await sleeps()).toBe(true);
    terminal.press('C-z');
    await terminal.shows(/Stopped/);
    expect(await terminal.answer('echo $?')).toBe('148');
    expect(await terminal.answer('jobs')).toMatch(new RegExp(`^\\[1\\]\\+ {2}Stopped +${nap}$`, 'm'));
    await terminal.run('fg');
    expect(await sleeps()).toBe(true);
    terminal.press('C-c');
    expect(await terminal.answer('echo $?')).toBe('130');
    await terminal.run('suspend');
    await terminal.shows(/Stopped[\s\S]*\n>$/);
    await terminal.run('fg');
    await terminal.shows(/inner>$/);
    await terminal.run('exit 7');
    expect(await terminal.answer('echo $?')).toBe('7');
  });

  test('a trap on SIGWINCH and stty see the new size', async () => {
    const script = 'trap "stty size" WINCH; echo up; for i in $(seq 80); do sleep 0.1; done';
    await terminal.run(`gate run --quiet -- bash -c '${script}'`);
    await terminal.shows(/^up$/m);
    terminal.resize(90, 20);
    await terminal.shows(/^20 90$/m);
    terminal.press('C-c');
    expect(await terminal.answer('echo $?')).toBe('130');
  });

  test('terminal modes are as before, however a raw program ended', async () => {
    await terminal.answer('stty -a > before');
    await terminal.run(RAW_AND_KILLED);
    expect(await terminal.answer('echo $?; stty -a > after')).toBe('137');
    expect(text('after')).toBe(text('before'));
    // In a script no shell's line editor mends anything between.
    writeFileSync(join(home.dir, 'script'), `stty -a > before\n${RAW_AND_KILLED}\nstty -a > after\n`);
    await terminal.answer('bash script');
    expect(text('after')).toBe(text('before'));
  });

  test('the command has its own name for the terminal, and sees it on all three descriptors', async () => {
    const outside = await terminal.answer('tty');
    expect(outside).toMatch(/^\/dev\/pts\/\d+$/);
    expect(await terminal.answer(`gate run --quiet -- sh -c 'test -t 0 -a -t 1 -a -t 2 && tty'`)).toBe(
      outside,
    );
    expect(await terminal.answer("gate run --quiet -- sh -c 'echo read me >/dev/tty'")).toBe('read me');
  });
});

function seq(last: number): string {
  return Array.from({ length: last }, (_, at) => at + 1).join('\n');
}
