/** A copy of the product that belongs to the scene's user, as package managers lay it out. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { NODE } from './identity.ts';
import { CLI, ROOT } from './places.ts';
import type { Scene } from './scene.ts';

const PARTS = ['dist', 'profiles', 'docs', 'package.json'];
/** The one dependency that is not in the bundle: its binary is loaded from where it was built. */
const DATABASE = 'better-sqlite3';
const BINARY = 'build/Release/better_sqlite3.node';

/** Where gate and the database package lie below the folder of the installation. */
const LAYOUTS = {
  /** A clone, or an unpacked archive. */
  alone: { gate: '.', database: 'node_modules' },
  /** `npm install` in a project, and what `npx` keeps: all packages in one folder. */
  beside: { gate: 'node_modules/gate-run', database: 'node_modules' },
  /** pnpm: each package by itself, with symbolic links to what it needs. */
  linked: { gate: '.store/gate-run@1/node_modules/gate-run', database: '.store/sqlite@1/node_modules' },
} as const;
export type Layout = keyof typeof LAYOUTS;

/**
 * Copies program, node and the database's binary. Facts: `install`, `package` (gate), `packages` (the folder in which
 * Node would look for others), `database`, `binary`. Node too: a user-owned one can be replaced.
 */
export function install(scene: Scene, layout: Layout = 'alone'): void {
  const target = scene.folder('install');
  rmSync(target, { recursive: true, force: true });
  const gate = join(target, LAYOUTS[layout].gate);
  const packages = layout === 'alone' ? join(gate, 'node_modules') : dirname(gate);
  const database = join(target, LAYOUTS[layout].database, DATABASE);
  const built = dirname(dirname(CLI));
  for (const part of PARTS) {
    if (existsSync(join(built, part))) cpSync(join(built, part), join(gate, part), { recursive: true });
  }
  const from = join(ROOT, 'node_modules', DATABASE);
  for (const part of ['package.json', BINARY]) cpSync(join(from, part), join(database, part));
  if (layout === 'linked') symlinkSync(relative(packages, database), join(packages, DATABASE));
  mkdirSync(join(target, 'bin'), { recursive: true });
  copyFileSync(NODE, join(target, 'bin', 'node'));
  Object.assign(scene.facts, {
    install: target,
    package: gate,
    packages,
    database,
    binary: join(database, BINARY),
  });
  const { uid, gid } = scene.identity;
  execFileSync('chown', ['-hR', `${uid}:${gid}`, target]);
}
