import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateAuthority } from '../ca/authority.ts';
import { GateError, messageOf } from '../core/errors.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import { HOSTS } from './plan.ts';

/** What `gate demo` works in: a folder of its own, with a whole home of gate. The user's own is not touched. */
export interface DemoHome {
  readonly dir: string;
  readonly paths: GatePaths;
  /** Where the agent works, and where its plan is. */
  readonly work: string;
  readonly planFile: string;
  /** The provider's authority. */
  readonly providerDir: string;
  /** Of every process that the demo starts. */
  readonly env: Readonly<Record<string, string>>;
  writeAllowlist(): void;
  remove(): void;
}

const ALLOWLIST = `# The model's API.\n${HOSTS.model}\n`;
const DENYLIST = `# Nothing may go there.\n${HOSTS.denied}\n`;

/** Makes the home, its lists and its local CA. Throws GateError `no_home`. */
export function makeHome(env: NodeJS.ProcessEnv): DemoHome {
  const dir = makeDir();
  try {
    return furnish(dir, env);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function furnish(dir: string, callers: NodeJS.ProcessEnv): DemoHome {
  const work = join(dir, 'work');
  const providerDir = join(dir, 'provider');
  const env = demoEnvironment(callers, dir, work);
  const paths = gatePaths(env);
  for (const each of [work, providerDir, paths.config]) mkdirSync(each, { mode: 0o700 });
  const writeAllowlist = () => writeFileSync(paths.allowlist, ALLOWLIST, { mode: 0o600 });
  writeAllowlist();
  writeFileSync(paths.denylist, DENYLIST, { mode: 0o600 });
  // Before the run, so that there is a key that the agent could read.
  loadOrCreateAuthority(paths);
  return {
    ...{ dir, paths, work, providerDir, env, writeAllowlist },
    planFile: join(work, 'plan.json'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function makeDir(): string {
  try {
    return realpathSync(mkdtempSync(join(tmpdir(), 'gate-demo-')));
  } catch (cause) {
    throw new GateError('no_home', `cannot make a folder for the demo: ${messageOf(cause)}`, {
      hint: 'set TMPDIR to a folder that you may write to',
      cause,
    });
  }
}

/** What is passed on of the caller's variables: the agent shows its environment, and must have nothing to hide. */
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TERM', 'TMPDIR', 'LD_LIBRARY_PATH', 'GATE_RUN'] as const;

function demoEnvironment(callers: NodeJS.ProcessEnv, dir: string, work: string): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = callers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), HOME: work, SHELL: '/bin/sh', USER: 'demo', GATE_HOME: dir };
}

/** A key that no provider ever issued, of the shape of a real one; made here, so that no file holds one. */
export function madeUpKey(): string {
  return `sk-ant-api03-${randomBytes(70).toString('base64url').slice(0, 93)}AA`;
}

/** A name that nobody has asked for before. */
export function newName(zone: string): string {
  return `${randomBytes(6).toString('hex')}.${zone}`;
}
