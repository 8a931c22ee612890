import type { FileHandle } from 'node:fs/promises';
import { readInto } from './files.ts';

/** Reads up to so many bytes. They are the caller's until the next read. */
export type ReadAt = (position: number, length: number) => Promise<Buffer> | Buffer;

/** Reads in the thread pool, so that nothing waits. */
export function pooledReader(handle: FileHandle): ReadAt {
  return async (position, length) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  };
}

/** Reads on the thread that asks; up to `usual` bytes into one buffer, again and again. */
export function blockingReader(handle: FileHandle, usual: number): ReadAt {
  const small = Buffer.allocUnsafeSlow(usual);
  return (position, length) => {
    const bytes = length <= small.length ? small : Buffer.allocUnsafeSlow(length);
    return readInto(handle.fd, bytes.subarray(0, length), position);
  };
}
