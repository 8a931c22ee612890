import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GATE, type TestHome } from './product.ts';

/** How a script ended and what it wrote, byte for byte. */
export interface ScriptResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A process of the test whose output so far can be looked at. */
export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves when its stdout matches; fails after half a minute, with what it has written. */
  says(pattern: RegExp): Promise<void>;
  /** The same of its stderr. */
  tells(pattern: RegExp): Promise<void>;
  readonly ended: Promise<ScriptResult>;
}

/** The variables of a home where `gate` is found by its name, as a person types it. */
export function typedEnv(home: TestHome): Record<string, string> {
  const bin = join(home.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  // `exec`: the shell's job, its pid and its group are gate's own.
  writeFileSync(join(bin, 'gate'), `#!/bin/sh\nexec '${process.execPath}' '${GATE}' "$@"\n`);
  chmodSync(join(bin, 'gate'), 0o755);
  return { ...home.env, PATH: [bin, home.env['PATH']].join(delimiter) };
}

export interface ScriptOptions {
  /** Bytes for stdin; without them stdin is empty. */
  readonly input?: Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** It is killed after so many milliseconds; a minute where nothing is said. */
  readonly timeout?: number;
}

/** Starts a bash script that may say `gate`, in a session of its own: no terminal of the tester's takes part. */
export function startScript(home: TestHome, script: string, options: ScriptOptions = {}): Started {
  const child = spawn('bash', ['-c', script], {
    cwd: home.dir,
    env: { ...typedEnv(home), ...options.env },
    detached: true,
    timeout: options.timeout ?? 60_000,
    killSignal: 'SIGKILL',
  });
  // A command that ends without reading all of its input is no failure.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return watch(child);
}

/** Runs a bash script to its end. */
export function runScript(home: TestHome, script: string, options?: ScriptOptions): Promise<ScriptResult> {
  return startScript(home, script, options).ended;
}

/** Starts `gate ARGS` without a shell around it, so that its pid is gate's; it is killed after so many milliseconds. */
export function startGate(home: TestHome, args: readonly string[], timeout = 60_000): Started {
  const child = spawn(process.execPath, [GATE, ...args], {
    cwd: home.dir,
    env: home.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  });
  return watch(child);
}

function watch(child: ChildProcess): Started {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => out.push(piece));
  child.stderr?.on('data', (piece: Buffer) => err.push(piece));
  const stdout = () => Buffer.concat(out).toString('utf8');
  const stderr = () => Buffer.concat(err).toString('utf8');
  const ended = new Promise<ScriptResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(out), stderr: stderr() }),
    );
  });
  const matched = async (pattern: RegExp, text: () => string): Promise<void> => {
    const said = await within(30_000, () => pattern.test(text()));
    if (!said) throw new Error(`never said ${pattern}: ${stdout()}${stderr()}`);
  };
  return {
    child,
    pid: child.pid ?? -1,
    stdout,
    stderr,
    ended,
    says: (pattern) => matched(pattern, stdout),
    tells: (pattern) => matched(pattern, stderr),
  };
}

/** Whether the condition came true within so many milliseconds. */
export async function within(ms: number, condition: () => boolean): Promise<boolean> {
  const deadline = Date.now() + ms;
  for (;;) {
    if (condition()) return true;
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
}
