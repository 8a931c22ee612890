import {
  close,
  closeSync,
  fsync,
  fsyncSync,
  mkdirSync,
  open,
  openSync,
  writeSync,
  writevSync,
} from 'node:fs';

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
