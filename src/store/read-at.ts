import type { FileHandle } from 'node:fs/promises';
import { readInto } from './files.ts';

/** Fills a buffer from a place of a file. Gives what of it the file had bytes for. */
export type ReadAt = (into: Buffer, position: number) => Promise<Buffer> | Buffer;

/** Reads in the thread pool, so that nothing waits. */
export function pooledReader(handle: FileHandle): ReadAt {
  return async (into, position) => {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return into.subarray(0, done);
  };
}

/** Reads on the thread that asks. */
export function blockingReader(handle: FileHandle): ReadAt {
  return (into, position) => readInto(handle.fd, into, position);
}
