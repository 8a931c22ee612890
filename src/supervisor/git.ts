import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A type, to serve as part of a record. */
export type GitFacts = {
  readonly root: string;
  readonly branch?: string;
  readonly commit?: string;
};

/**
 * The repository around a folder, its branch and its commit; undefined where there is none. Reads the files of
 * https://git-scm.com/docs/gitrepository-layout itself: starting git would cost more than starting the jail.
 */
export function gitFacts(cwd: string): GitFacts | undefined {
  const root = findRoot(cwd);
  if (root === undefined) return undefined;
  try {
    const gitDir = gitDirOf(join(root, '.git'));
    const head = readFileSync(join(gitDir, 'HEAD'), 'utf8').trim();
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    const commit = ref === undefined ? head : readRef(gitDir, ref);
    return {
      root,
      ...(ref?.startsWith('refs/heads/') ? { branch: ref.slice('refs/heads/'.length) } : {}),
      ...(commit === undefined ? {} : { commit }),
    };
  } catch {
    // Half-made or unreadable repositories are common, and a run must not fail for a detail in its record.
    return { root };
  }
}

function findRoot(cwd: string): string | undefined {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    if (existsSync(join(dir, '.git'))) return dir;
    if (dir === dirname(dir)) return undefined;
  }
}

/** `.git` is a folder, or, in work trees and submodules, a file that names the folder. */
function gitDirOf(dotGit: string): string {
  if (statSync(dotGit).isDirectory()) return dotGit;
  const target = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, 'utf8'))?.[1] ?? '';
  return resolve(dirname(dotGit), target.trim());
}

function readRef(gitDir: string, ref: string): string | undefined {
  const common = commonDir(gitDir);
  for (const dir of [gitDir, common]) {
    const file = join(dir, ref);
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  }
  const packed = join(common, 'packed-refs');
  if (!existsSync(packed)) return undefined;
  const line = readFileSync(packed, 'utf8')
    .split('\n')
    .find((each) => each.endsWith(` ${ref}`));
  return line?.split(' ')[0];
}

function commonDir(gitDir: string): string {
  const file = join(gitDir, 'commondir');
  return existsSync(file) ? resolve(gitDir, readFileSync(file, 'utf8').trim()) : gitDir;
}
