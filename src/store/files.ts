import { close, closeSync, fsync, fsyncSync, mkdirSync, open, openSync, writeSync } from 'node:fs';

/** Makes a folder, and those above it, that only this user can enter. */
export function makePrivateDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
}

/** Appends all bytes at the end of a file opened for appending. A disk that takes only a part is asked again for the rest. */
export function appendAll(fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
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
