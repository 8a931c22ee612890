import { fdatasync, fdatasyncSync } from 'node:fs';

/** Flushes a file's data to the disk; `done` gets the error, or null. */
export type Flush = (fd: number, done: (error: Error | null) => void) => void;

/** Below this a flush blocks less than handing it to another thread and back costs. */
const QUICK_MS = 0.5;

/**
 * Makes a flush that waits for a quick disk and hands a slow one to the thread pool, where pieces of streams can
 * be written meanwhile. Quick is what the last few flushes were.
 */
export function createFlush(): Flush {
  let averageMs = Number.POSITIVE_INFINITY;

  function took(startedMs: number): void {
    const ms = performance.now() - startedMs;
    averageMs = averageMs === Number.POSITIVE_INFINITY ? ms : averageMs + (ms - averageMs) / 8;
  }

  return (fd, done) => {
    const startedMs = performance.now();
    if (averageMs < QUICK_MS) {
      const error = flushSync(fd);
      took(startedMs);
      done(error);
      return;
    }
    fdatasync(fd, (error) => {
      took(startedMs);
      done(error);
    });
  };
}

function flushSync(fd: number): Error | null {
  try {
    fdatasyncSync(fd);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
