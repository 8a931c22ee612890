import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, GateError } from '../core/errors.ts';

/** How long an edit waits for others. An edit takes milliseconds. */
const TIMEOUT_MS = 10_000;
/** A lock as old as this was left behind, whatever process has its number now. */
const STALE_MS = 5_000;

/**
 * Runs `work` while no other process that uses the same lock file does. A lock left by a dead process is taken over.
 * `work` is given a check that says whether the lock is still held, to be asked before anything irrevocable.
 * Throws GateError `list_locked` after ten seconds.
 */
export async function withFileLock<T>(
  path: string,
  work: (held: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  const token = `${process.pid} ${randomUUID()}\n`;
  await acquire(path, token);
  const held = async () => (await contents(path)) === token;
  try {
    return await work(held);
  } finally {
    if (await held()) await unlink(path).catch(() => {});
  }
}

async function acquire(path: string, token: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await create(path, token))) {
    await breakStale(path);
    if (performance.now() > deadline) {
      throw new GateError('list_locked', `another process is editing; its lock is ${path}`, {
        hint: `rm ${path}`,
      });
    }
    await sleep(2 + Math.random() * 10);
  }
}

async function create(path: string, token: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(token);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead process's lock aside. By rename, of which only one process can be the author. */
async function breakStale(path: string): Promise<void> {
  const owner = await contents(path);
  if (owner === undefined || !(await isStale(path, owner))) return;
  if ((await contents(path)) !== owner) return;
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    // Someone else was faster and this is their fresh lock: give it back.
    if ((await contents(aside)) !== owner) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(aside).catch(() => {});
  }
}

async function isStale(path: string, owner: string): Promise<boolean> {
  const pid = Number.parseInt(owner, 10);
  if (pid > 0 && !isAlive(pid)) return true;
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function contents(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
