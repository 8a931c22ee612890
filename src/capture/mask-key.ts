import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, GateError } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';
import { makePrivateDir } from '../store/files.ts';

const KEY_BYTES = 32;

/**
 * The key of this installation's fingerprints, 32 bytes in `mask.key` of the data folder (0600), made at the
 * first call. Throws GateError `bad_mask_key` when the file is there and is not a key.
 */
export function loadMaskKey(paths: Pick<GatePaths, 'data'>): Buffer {
  const file = join(paths.data, 'mask.key');
  const key = readKey(file) ?? makeKey(paths.data, file);
  if (key.length === KEY_BYTES) return key;
  throw new GateError('bad_mask_key', `${file} is not a key of ${KEY_BYTES} bytes`, {
    hint: `Remove it, and a new one is made; fingerprints of older records then no longer compare: rm ${file}`,
  });
}

function readKey(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written aside and linked into place, so that two gates starting at once end with one whole key. */
function makeKey(dir: string, file: string): Buffer {
  makePrivateDir(dir);
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const fd = openSync(aside, 'wx', 0o600);
  try {
    writeSync(fd, randomBytes(KEY_BYTES));
    fsyncSync(fd);
    linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    closeSync(fd);
    rmSync(aside, { force: true });
  }
  return readFileSync(file);
}
