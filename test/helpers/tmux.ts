import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHome } from './product.ts';
import { typedEnv, within } from './shell.ts';

/** Why the terminal tests cannot run here, or undefined. */
export function tmuxMissing(): string | undefined {
  return spawnSync('tmux', ['-V']).status === 0 ? undefined : 'the terminal tests need tmux';
}

/** A person at a terminal, with a shell that knows `gate`. */
export interface Terminal {
  /** What the screen shows, trailing blanks removed. */
  screen(): string;
  /** Waits until the screen matches and gives it; fails with the screen after ten seconds. */
  shows(pattern: RegExp): Promise<string>;
  /** Waits for the prompt, clears the screen, types a line and presses Enter. */
  run(line: string): Promise<void>;
  /** Runs a line and gives what it wrote. */
  answer(line: string): Promise<string>;
  type(text: string): void;
  /** A key by tmux's name: `C-c`, `Enter`, `Escape`. */
  press(...keys: string[]): void;
  resize(columns: number, rows: number): void;
  /** The shell's pid, as this machine knows it. */
  shellPid(): number;
  /** Hangs up, and waits until nothing of it is left. */
  close(): Promise<void>;
}

// `exec`: whatever sh is here, the pane's own process is this shell.
const SHELL = 'exec bash --norc --noprofile';
/** A prompt, of the shell itself or of one inside (`inner> `), on the last line that is not empty. */
const AT_PROMPT = /(^|\n)\S*>$/;
let terminals = 0;

/** Starts a tmux server of the test's own with one shell in it, 100x30, prompt `> `. */
export async function startTerminal(home: TestHome): Promise<Terminal> {
  terminals += 1;
  const socket = `gate-test-${process.pid}-${terminals}`;
  const env = { ...typedEnv(home), TMUX_TMPDIR: home.dir, TERM: 'xterm' };
  const tmux = (...args: string[]) =>
    spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      env,
      encoding: 'utf8',
      cwd: home.dir,
      timeout: 10_000,
    }).stdout;
  const screen = () => tmux('capture-pane', '-p').trimEnd();
  const told = (format: string) => tmux('display-message', '-p', format).trim();
  const type = (text: string) => void tmux('send-keys', '-l', '--', text);
  const press = (...keys: string[]) => void tmux('send-keys', ...keys);

  async function shows(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const now = screen();
      if (pattern.test(now)) return now;
      if (Date.now() > deadline) throw new Error(`the screen never showed ${pattern}:\n${now}`);
      await sleep(30);
    }
  }

  async function run(line: string): Promise<void> {
    await shows(AT_PROMPT);
    press('C-l');
    await shows(/^\S*>$/);
    type(line);
    press('Enter');
  }

  async function answer(line: string): Promise<string> {
    await run(`${line}; echo ,done`);
    const shown = await shows(/^,done$/m);
    return shown
      .split('\n')
      .slice(1)
      .join('\n')
      .replace(/,done[\s\S]*/, '')
      .trim();
  }

  tmux('new-session', '-d', '-x', '100', '-y', '30', SHELL);
  await shows(/[$#]$/);
  // By hand, since the shell that tmux starts it with would have dropped it from the environment.
  type("PS1='> '; clear");
  press('Enter');
  await shows(/^>$/);
  return {
    screen,
    shows,
    run,
    answer,
    type,
    press,
    resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    shellPid: () => Number(told('#{pane_pid}')),
    close: async () => {
      const pids = told('#{pid} #{pane_pid}').split(' ').map(Number);
      tmux('kill-server');
      await within(5000, () => !pids.some(isAlive));
    },
  };
}

/** A zombie is gone: it waits for whoever reaps orphans here. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
