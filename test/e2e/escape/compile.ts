/** Small C programs, built for the scene that uses them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAMS, which } from './places.ts';
import type { Scene } from './scene.ts';

/** Builds `programs/NAME.c` and makes its path the fact `NAME`. Without a compiler the fact is a path to nothing. */
export function compile(scene: Scene, name: string): void {
  const out = join(scene.dir, name);
  scene.facts[name] = out;
  const cc = which('cc');
  if (cc === undefined || existsSync(out)) return;
  execFileSync(cc, ['-O1', '-o', out, join(PROGRAMS, `${name}.c`)], { stdio: 'pipe' });
}
