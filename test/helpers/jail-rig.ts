import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { CommandEnd, JailSpec, RefusedAttempt } from '../../platform/jail.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const native = fileURLToPath(new URL('../../platform/linux/native/build.mjs', import.meta.url));

/** Who runs a jail in a test. */
export interface User {
  readonly name: string;
  readonly uid: number;
}

/** Root and an unprivileged user where the tests run as root, else only the one who runs them. */
export function users(): readonly User[] {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0)
    return [
      { name: 'root', uid: 0 },
      { name: 'user', uid: 4242 },
    ];
  process.stderr.write('jail tests run as this user only: root is needed to try both\n');
  return [{ name: 'user', uid }];
}

/** What can be built and run here, or the reason why not. */
export function jailMissing(): string | undefined {
  if (process.platform !== 'linux') return 'the jail tests need Linux';
  if (spawnSync('cc', ['--version']).status !== 0) return 'the jail tests need a C compiler';
  if (spawnSync('unshare', ['-Urn', 'true']).status !== 0) return 'this machine forbids user namespaces';
  return undefined;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Only of jailed commands. */
  readonly features: readonly string[];
  readonly refused: readonly RefusedAttempt[];
  readonly end: CommandEnd | undefined;
}

export interface Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

/** A folder with a freshly built helper, driver and probe, for jails run by real processes of either user. */
export interface Rig {
  readonly dir: string;
  readonly probe: string;
  /** A folder of that user. */
  home(user: User): string;
  /** Runs a command in the jail. */
  jailed(user: User, command: readonly string[], spec?: Partial<JailSpec>): Promise<Outcome>;
  /** The same after a shell script, run as root in a mount namespace of its own. */
  jailedAfter(
    script: string,
    user: User,
    command: readonly string[],
    spec?: Partial<JailSpec>,
  ): Promise<Outcome>;
  /** The command line of `startJailed`, to be run by something else. */
  command(command: readonly string[], spec?: Partial<JailSpec>): readonly string[];
  startJailed(
    user: User,
    command: readonly string[],
    spec?: Partial<JailSpec>,
    env?: Readonly<Record<string, string>>,
  ): Running;
  /** Runs it as the same user without a jail. */
  outside(user: User, command: readonly string[]): Promise<Outcome>;
  remove(): void;
}

/** Builds everything once for a test file. */
export async function createRig(): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'gate-jail-'));
  chmodSync(dir, 0o755);
  const driver = join(dir, 'driver.mjs');
  const probe = join(dir, 'probe');
  await build({
    entryPoints: [join(here, 'jail-driver.ts')],
    outfile: driver,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  mustRun(process.execPath, [native, join(dir, 'native')]);
  mustRun('cc', ['-O1', '-static', '-o', probe, join(here, 'jail-probe.c')]);
  const homes: string[] = [];

  const home = (user: User): string => {
    const path = mkdtempSync(join(dir, `home-${user.name}-`));
    if (process.getuid?.() === 0) chownSync(path, user.uid, user.uid);
    homes.push(path);
    return path;
  };
  const argv = (command: readonly string[], spec: Partial<JailSpec>) => [
    process.execPath,
    driver,
    '--spec',
    JSON.stringify(spec),
    '--',
    ...command,
  ];
  const startJailed: Rig['startJailed'] = (user, command, spec = {}, env = {}) =>
    start(user, argv(command, spec), dir, env);
  return {
    dir,
    probe,
    home,
    command: (command, spec = {}) => argv(command, spec),
    startJailed,
    jailedAfter: (script, user, command, spec = {}) => {
      const become = user.uid === 0 ? '' : `setpriv --reuid ${user.uid} --regid ${user.uid} --clear-groups`;
      const shell = ['unshare', '-m', 'sh', '-ec', `${script}\nexec ${become} "$@"`, 'sh'];
      return start({ name: user.name, uid: 0 }, [...shell, ...argv(command, spec)], dir).outcome;
    },
    jailed: (user, command, spec) => startJailed(user, command, spec).outcome,
    outside: (user, command) => start(user, command, dir).outcome,
    // A shell that has just been told to end may still write its history.
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  };
}

function mustRun(file: string, args: readonly string[]): void {
  const made = spawnSync(file, args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${made.stderr || made.error?.message}`);
}

function start(
  user: User,
  command: readonly string[],
  dir: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  const [file = '', ...args] = command;
  const shared = join(dir, `env-${user.name}`);
  mkdirSync(shared, { recursive: true });
  if (process.getuid?.() === 0) chownSync(shared, user.uid, user.uid);
  const ids = user.uid === process.getuid?.() ? {} : { uid: user.uid, gid: user.uid };
  const child = spawn(file, args, {
    ...ids,
    cwd: shared,
    env: { PATH: process.env['PATH'] ?? '', HOME: shared, JAIL_TRACE: '1', LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, outcome: collect(child) };
}

async function collect(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let all = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  const traces = all
    .split('\n')
    .filter((line) => line.startsWith('@jail '))
    .map((line) => JSON.parse(line.slice(6)));
  const find = (key: string): unknown => traces.find((trace) => key in trace)?.[key];
  return {
    code,
    signal,
    stdout,
    stderr: all
      .split('\n')
      .filter((line) => !line.startsWith('@jail '))
      .join('\n'),
    features: (find('features') as string[] | undefined) ?? [],
    refused: traces.filter((trace) => 'refused' in trace).map((trace) => trace.refused as RefusedAttempt),
    end: find('end') as CommandEnd | undefined,
  };
}

/** An IPv4 address of this machine that is not loopback, if it has one. */
export function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find((entry) => entry.family === 'IPv4' && !entry.internal)?.address;
}
