import { closeSync, constants, existsSync, fdatasyncSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '../core/errors.ts';
import { commandLine } from '../output/printable.ts';
import { fail, type Problem, warn } from './check.ts';

const MiB = 1024 * 1024;
/** A long conversation with an agent takes tens of MiB. */
const LITTLE = 1024 * MiB;
/** One large body may not fit any more. */
const NEXT_TO_NOTHING = 64 * MiB;

/** What is free on the disk of a folder, or of the nearest that exists above it. */
export function freeBytes(folder: string): number {
  let dir = folder;
  while (!existsSync(dir) && dir !== dirname(dir)) dir = dirname(dir);
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** Whether the space does for the next run. Pure. */
export function spaceProblems(folder: string, free: number): Problem[] {
  if (free >= LITTLE) return [];
  const message = `${Math.floor(free / MiB)} MiB are free for ${folder}: a full disk stops all traffic of a run`;
  const fix = 'make room there, or set GATE_HOME to a folder on another disk';
  return [free < NEXT_TO_NOTHING ? fail(message, fix) : warn(message, fix)];
}

/** open(2): a file without a name. Linux; not among Node's constants. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** What file systems without such files say. */
const NO_UNNAMED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL', 'ENOENT']);

/** Whether what is written in a folder can be made durable. Tried with a file that has no name, which leaves no trace. */
export function flushProblems(folder: string): Problem[] {
  if (!existsSync(folder)) return [];
  try {
    flush(folder);
    return [];
  } catch (error) {
    if (codeOf(error) === 'EROFS') {
      const message = `${folder} is on a file system that is mounted read-only: nothing can be recorded`;
      return [fail(message, 'set GATE_HOME to a folder that can be written to')];
    }
    const message = `nothing can be written and flushed in ${folder}: ${messageOf(error)}`;
    return [fail(message, `${commandLine(['df', folder])} shows its disk; GATE_HOME can name another`)];
  }
}

function flush(folder: string): void {
  if (process.platform !== 'linux') return;
  let fd: number;
  try {
    fd = openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    if (NO_UNNAMED.has(codeOf(error) ?? '')) return;
    throw error;
  }
  try {
    writeSync(fd, 'gate doctor\n');
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
