import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Identity } from '../e2e/escape/identity.ts';

/** What a program said and how it ended. */
export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** One person's home and workspace, for one run of one agent. */
export interface Scratch {
  readonly gateHome: string;
  /** Runs a program as that person, in the workspace, with nothing of the caller's environment but PATH. */
  run(command: readonly string[], env: Readonly<Record<string, string>>, input?: string): Promise<Ran>;
  /** Writes a file under the home, for that person alone. */
  put(path: string, text: string): void;
  /** Text of a file of the workspace, or nothing. */
  read(name: string): string | undefined;
  remove(): void;
}

const RUN_TIMEOUT_MS = 120_000;

/** Makes the folders, the workspace a git repository as agents expect one. */
export function createScratch({ uid, gid }: Identity): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'gate-agents-'));
  const home = join(dir, 'home');
  const workspace = join(dir, 'work');
  const tmp = join(dir, 'tmp');
  for (const folder of [home, workspace, tmp]) mkdirSync(folder);
  execFileSync('git', ['init', '--quiet', workspace]);
  execFileSync('chown', ['-R', `${uid}:${gid}`, dir]);
  const base = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    // codex puts no sandbox helper under a temporary folder, and this home is in one: so it gets another.
    TMPDIR: tmp,
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
  };
  return {
    gateHome: join(dir, 'gate'),
    run: async ([program = '', ...args], env, input = '') => {
      const ran = await execa(program, args, {
        ...{ cwd: workspace, env: { ...base, ...env }, extendEnv: false },
        ...{ uid, gid, input, reject: false, timeout: RUN_TIMEOUT_MS },
      });
      return { code: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr };
    },
    put: (path, text) => {
      const file = join(home, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode: 0o600 });
      execFileSync('chown', ['-R', `${uid}:${gid}`, home]);
    },
    read: (name) => {
      try {
        return readFileSync(join(workspace, name), 'utf8');
      } catch {
        return undefined;
      }
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
