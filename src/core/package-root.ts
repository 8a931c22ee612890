import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GateError } from './errors.ts';
import { shellWord } from './shell.ts';

/** Brings the whole package, compiled parts included. */
const INSTALL = 'npm install --global gate-run';

/** The folder of this installation: the one with gate's package.json, seen from the bundle and from the source. */
export function packageRoot(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json')) && existsSync(join(dir, 'profiles'))) return dir;
  }
  throw new GateError('broken_install', 'this installation of gate is incomplete', {
    hint: INSTALL,
  });
}

/** Whether a package manager has put this installation among its packages; else it is a clone that somebody works in. */
export function isInstalled(root: string): boolean {
  return basename(dirname(root)) === 'node_modules';
}

/**
 * What a person types where a part of an installation is missing. A clone builds its parts, by the npm script that
 * is named; a package came with them.
 */
export function bringBack(root: string, script: 'ci' | 'run build'): string {
  return isInstalled(root) ? INSTALL : `cd ${shellWord(root)} && npm ${script}`;
}

/**
 * The folder of better-sqlite3, whose binary is the one part of gate that is not in its bundle: below the installation,
 * or beside it where packages share a folder. Node would look further up as well, past folders in which a command in
 * the jail can make packages, and the next gate would load what it put there.
 * @throws GateError `broken_install` (exit code 125) where it is in neither place.
 */
export function sqliteFolder(root: string = packageRoot()): string {
  const places = [join(root, 'node_modules', 'better-sqlite3')];
  if (isInstalled(root)) places.push(join(dirname(root), 'better-sqlite3'));
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  const message = `better-sqlite3 is missing: it is not at ${places.join(', nor at ')}`;
  throw new GateError('broken_install', message, { hint: bringBack(root, 'ci') });
}
