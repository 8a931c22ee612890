import { randomBytes } from 'node:crypto';
import {
  close,
  closeSync,
  fsync,
  fsyncSync,
  linkSync,
  mkdirSync,
  open,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { codeOf } from '../core/errors.ts';

/** Makes a folder, and those above it, that only this user can enter. */
export function makePrivateDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
}

/** Appends all bytes at the end of a file opened for appending. A disk that takes only a part is asked again for the rest. */
export function appendAll(fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** The most pieces that one system call takes (IOV_MAX). */
const MAX_PIECES = 1024;

/** Appends pieces one behind the other, with one system call where the disk takes all of them. */
export function appendPieces(fd: number, pieces: readonly Buffer[]): void {
  for (let at = 0; at < pieces.length; at += MAX_PIECES) {
    let left = pieces.slice(at, at + MAX_PIECES);
    while (left.length > 0) left = without(left, writevSync(fd, left));
  }
}

/** What is left of pieces after so many of their bytes. */
function without(pieces: readonly Buffer[], written: number): Buffer[] {
  let skip = written;
  for (const [index, piece] of pieces.entries()) {
    if (skip < piece.length) return [piece.subarray(skip), ...pieces.slice(index + 1)];
    skip -= piece.length;
  }
  return [];
}

/** Makes the names in a folder durable: a file that is flushed can still be lost with its name. */
export function syncDir(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same without holding anybody up; `done` gets the error, or null. */
export function syncDirLater(dir: string, done: (error: Error | null) => void): void {
  open(dir, 'r', (failed, fd) => {
    if (failed !== null) return done(failed);
    fsync(fd, (error) => close(fd, (again) => done(error ?? again ?? null)));
  });
}

/** The bytes of a file; undefined where there is none. Throws the system's error. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Opens a file for reading; undefined where there is none. Throws the system's error. */
export function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Fills `into` from a place of a file; gives what of it the file had bytes for. */
export function readInto(fd: number, into: Buffer, position: number): Buffer {
  let done = 0;
  while (done < into.length) {
    const read = readSync(fd, into, done, into.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return into.subarray(0, done);
}

/** So many bytes at a place of a file, or as many as there are. */
export function readAt(fd: number, position: number, length: number): Buffer {
  return readInto(fd, Buffer.allocUnsafe(length), position);
}

/**
 * Makes a file (0600) unless it is there: written aside, flushed and linked into place, so that of two processes that
 * do it at once one wins, and nobody sees half of it.
 */
export function writeOnce(file: string, content: string | Buffer): void {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const fd = openSync(aside, 'wx', 0o600);
  try {
    writeFileSync(fd, content);
    fsyncSync(fd);
    linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    closeSync(fd);
    rmSync(aside, { force: true });
  }
}
