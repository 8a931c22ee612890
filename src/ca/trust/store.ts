import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a trust store is asked about: this machine and this user. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** File and alias by which the certificate is found again, whoever's it is by then: `gate-local-ca-USER`. */
  readonly label: string;
  /** gate's certificate. */
  readonly certFile: string;
  /** Its common name. */
  readonly commonName: string;
}

/** One command of a change. */
export interface Step {
  readonly command: readonly [string, ...string[]];
  /** What it undoes may not be there. */
  readonly mayFail?: true;
}

/** One place of a store that holds the certificate, or does not. */
export interface Place {
  readonly path: string;
  /** Whether a certificate stands there under gate's label, this one or one before it. */
  readonly taken: () => boolean;
  readonly install: readonly Step[];
  readonly uninstall: readonly Step[];
}

/** Why a store cannot be changed here, and what to type about it. */
export interface Lacking {
  readonly reason: string;
  readonly hint: string;
}

/** A kind of trust store; one file each. */
export interface TrustStore {
  /** As in `--store`, and in `actions.jsonl`. */
  readonly name: string;
  /** Whether only root can change it. */
  readonly root: boolean;
  /** Whether this machine keeps certificates this way at all. */
  readonly present: (machine: Machine) => boolean;
  /** What is missing to change it; undefined where nothing is. */
  readonly lacking: (machine: Machine) => Lacking | undefined;
  readonly places: (machine: Machine) => readonly Place[];
}

/** A store that is a folder of files with a program that takes them up. */
export function anchorFolder(options: {
  readonly name: string;
  readonly folder: string;
  readonly refresh: readonly [string, ...string[]];
  /** What to type where the program is not there. */
  readonly hint: string;
}): TrustStore {
  const { name, folder, refresh, hint } = options;
  return {
    name,
    root: true,
    present: ({ platform }) => platform === 'linux' && existsSync(folder),
    lacking: ({ env }) =>
      hasProgram(refresh[0], env) ? undefined : { reason: `${refresh[0]} is not installed`, hint },
    places: ({ label, certFile }) => {
      const path = join(folder, `${label}.crt`);
      return [
        {
          path,
          taken: () => existsSync(path),
          install: [{ command: ['install', '-m', '0644', certFile, path] }, { command: refresh }],
          uninstall: [{ command: ['rm', '-f', path] }, { command: refresh }],
        },
      ];
    },
  };
}

/** Whether a program is to be found along `PATH`, or in the folders for the administrator. */
export function hasProgram(name: string, env: NodeJS.ProcessEnv): boolean {
  return searchPath(env)
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, name)));
}

/** Whether a command ends with 0. */
export function succeeds([program, ...args]: Step['command'], env: NodeJS.ProcessEnv): boolean {
  try {
    execFileSync(program, args, { env: { ...env, PATH: searchPath(env) }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** `PATH` with the folders that a user's own leaves out: that is where distributions keep these programs. */
export function searchPath(env: NodeJS.ProcessEnv): string {
  return [env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}

/** The words by which this distribution calls itself and its family (os-release(5)). */
export function distribution(): readonly string[] {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, words]) =>
    (words ?? '').split(' '),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
