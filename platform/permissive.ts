import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { isatty } from 'node:tty';
import { createDeferred } from '../src/core/deferred.ts';
import { type GateError, messageOf } from '../src/core/errors.ts';
import type { CommandEnd, Jail } from './jail.ts';
import { execFailure } from './linux/failures.ts';
import { listenOnLoopback } from './loopback.ts';

export interface PermissiveSpec {
  /** Program (found along the `PATH` of its environment) and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The command's whole environment, once the proxy's port is known. */
  readonly env: (proxyPort: number) => Readonly<Record<string, string>>;
  readonly cwd: string;
}

/**
 * No jail at all, in the form of one: the command runs as it would without gate, on any system, and only its
 * variables lead it to a listener on loopback. It stays in gate's process group, so that the terminal treats both as
 * the one job that they are. What Node cannot do here: real-time signals are told as exit code 0, and processes that
 * the command leaves behind live on.
 */
export async function createPermissiveJail(spec: PermissiveSpec): Promise<Jail> {
  const listener = await listenOnLoopback(0);
  const ended = createDeferred<CommandEnd>();
  let child: ChildProcess | undefined;
  const close = (): void => void listener.server.close();

  const launch = async (): Promise<void> => {
    const started = await start(spec, listener.port);
    child = started;
    // Should gate fail, its command must not go on unrecorded beside the shell's next one.
    const kill = (): void => void started.kill('SIGKILL');
    process.once('exit', kill);
    started.on('exit', (code, signal) => {
      process.off('exit', kill);
      close();
      ended.resolve(endOf(code, signal));
    });
  };

  return {
    platform: 'none',
    features: [],
    listeners: [listener],
    dnsSockets: [],
    launch,
    ended: ended.promise,
    signal: (signal) => {
      if (!FROM_TERMINAL.has(signal) || !inForeground()) child?.kill(signal);
    },
    destroy: () => {
      child?.kill('SIGKILL');
      close();
    },
  };
}

/** Resolves once the command has been executed; rejects with exit code 127 or 126 where that fails. */
function start({ command, env, cwd }: PermissiveSpec, port: number): Promise<ChildProcess> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const variables = env(port);
    const fail = (error: unknown): void => reject(failureOf(error, program, variables['PATH'] ?? ''));
    try {
      const child = spawn(program, args, { cwd, env: variables, stdio: 'inherit' });
      child.once('error', fail);
      child.once('spawn', () => {
        child.off('error', fail);
        // A signal that cannot be passed on any more must not end gate.
        child.on('error', () => undefined);
        resolve(child);
      });
    } catch (error) {
      // Node throws some of the system's errors and emits others.
      fail(error);
    }
  });
}

function failureOf(error: unknown, program: string, path: string): GateError {
  const errno = error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : 0;
  if (errno === constants.errno.EACCES && !isAlong(path, program)) {
    return execFailure(constants.errno.ENOENT, program);
  }
  return execFailure(errno, errno === 0 ? `${program}: ${messageOf(error)}` : program);
}

/** A folder in `PATH` that may not be searched gives EACCES too; shells then say that there is no such command. */
function isAlong(path: string, program: string): boolean {
  if (program.includes('/')) return true;
  return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function endOf(code: number | null, signal: NodeJS.Signals | null): CommandEnd {
  if (signal === null) return { exitCode: code ?? 0 };
  return { signal, number: constants.signals[signal] };
}

/** What a terminal sends to the whole of its foreground group, so to the command as well. */
const FROM_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/**
 * Whether gate's process group is in the foreground of its terminal. Then a Ctrl-C has reached the command already,
 * and passed on it would count twice: many programs take the second one for "at once".
 */
function inForeground(): boolean {
  if (process.platform !== 'linux') return [0, 1, 2].some((fd) => isatty(fd));
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // proc(5): the fields after the name, which stands in parentheses: state ppid pgrp session tty_nr tpgid.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    // Without /proc nobody can tell: a signal that comes twice is better than one that never comes.
    return false;
  }
}
