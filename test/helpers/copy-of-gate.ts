import { chmodSync, cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A copy of this installation that anybody can read, without the paths that are named. The caller removes it. */
export function copyOfGate(...without: string[]): { root: string; cli: string } {
  const root = mkdtempSync(join(tmpdir(), 'gate-copy-'));
  chmodSync(root, 0o755);
  const missing = without.map((name) => resolve(name));
  for (const name of ['dist', 'profiles', 'package.json', 'node_modules/better-sqlite3'])
    cpSync(name, join(root, name), { recursive: true, filter: (path) => !missing.includes(resolve(path)) });
  return { root, cli: join(root, 'dist', 'cli.js') };
}
