import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf } from '../core/errors.ts';

/** No list or configuration that a person writes is larger. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file that people edit; undefined where there is none. Opens without blocking and reads only regular files:
 * a FIFO in its place would stop whoever reads it. Throws the system's error, or one that says what is wrong.
 */
export function readRegular(file: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('not a regular file');
    if (stats.size > MAX_BYTES) throw new Error('larger than 16 MiB');
    return readFileSync(descriptor);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
