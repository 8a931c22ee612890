import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GateError } from './errors.ts';

/** The folder of this installation: the one with gate's package.json, seen from the bundle and from the source. */
export function packageRoot(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json')) && existsSync(join(dir, 'profiles'))) return dir;
  }
  throw new GateError('broken_install', 'this installation of gate is incomplete', {
    hint: 'npm install --global gate-run',
  });
}
