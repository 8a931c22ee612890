import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** A folder or a file that an installer named by its version: `versions/2.0.14`, `Cellar/codex/0.63.0/bin`. */
const VERSION = /^v?(\d+\.\d+\.\d+[\w.+-]*)$/;
/** A program of a package lies at most so far below its package.json. */
const MAX_UP = 5;

/**
 * The version of an agent, as its installation tells it: by the package.json whose `bin` names the program, or by a
 * folder that is named like a version. Undefined where neither does. The agent is not run for it.
 */
export function agentVersion(
  program: string,
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): string | undefined {
  const file = programFile(program, env['PATH'] ?? '', cwd);
  if (file === undefined) return undefined;
  const name = basename(program);
  let dir = file;
  for (let up = 0; up < MAX_UP; up++) {
    const version = VERSION.exec(basename(dir))?.[1] ?? packageVersion(dir, name);
    if (version !== undefined) return version;
    dir = dirname(dir);
  }
  return undefined;
}

/** The file that a program name means, without links. */
function programFile(program: string, path: string, cwd: string): string | undefined {
  const places = program.includes('/') ? [cwd] : path.split(':').filter((dir) => dir !== '');
  for (const dir of places) {
    try {
      const file = resolve(cwd, dir, program);
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return realpathSync(file);
    } catch {
      // Not here: the next place.
    }
  }
  return undefined;
}

/** The version of a package that brings a program of this name (docs.npmjs.com, package.json: bin). */
function packageVersion(dir: string, name: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    const { name: own, version, bin } = Object(manifest) as Readonly<Record<string, unknown>>;
    const brings =
      typeof bin === 'string' ? basename(String(own)) === name : Object.hasOwn(Object(bin), name);
    return brings && typeof version === 'string' ? version : undefined;
  } catch {
    // No package, or none that can be read: a run must not fail for a detail in its record.
    return undefined;
  }
}
