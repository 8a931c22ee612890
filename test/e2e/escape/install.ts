/** A copy of the product that belongs to the scene's user, as after `npm install --prefix ~`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NODE } from './identity.ts';
import { CLI, ROOT } from './places.ts';
import type { Scene } from './scene.ts';

const PARTS = ['dist', 'profiles', 'docs', 'package.json'];
/** The one dependency that is not in the bundle, and what it needs to find its binary. */
const MODULES = ['better-sqlite3', 'bindings', 'file-uri-to-path'];
const ADDON = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';

/** Copies program, node and native parts; facts `install` and `addon`. Node too: a user-owned one can be replaced. */
export function install(scene: Scene): void {
  const target = scene.folder('install');
  scene.facts['install'] = target;
  scene.facts['addon'] = ADDON;
  const built = dirname(dirname(CLI));
  for (const part of PARTS) {
    if (existsSync(join(built, part))) cpSync(join(built, part), join(target, part), { recursive: true });
  }
  for (const name of MODULES) {
    const from = join(ROOT, 'node_modules', name);
    cpSync(from, join(target, 'node_modules', name), {
      recursive: true,
      filter: (path) => !/\/(deps|src|obj|obj\.target)$/.test(path),
    });
  }
  mkdirSync(join(target, 'bin'), { recursive: true });
  copyFileSync(NODE, join(target, 'bin', 'node'));
  const { uid, gid } = scene.identity;
  execFileSync('chown', ['-R', `${uid}:${gid}`, target]);
}
