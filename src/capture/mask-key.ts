import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';
import { makePrivateDir, readIfThere, writeOnce } from '../store/files.ts';

const KEY_BYTES = 32;

/**
 * The key of this installation's fingerprints, 32 bytes in `mask.key` of the data folder (0600), made at the
 * first call. Throws GateError `bad_mask_key` when the file is there and is not a key.
 */
export function loadMaskKey(paths: Pick<GatePaths, 'data'>): Buffer {
  const file = join(paths.data, 'mask.key');
  const key = readIfThere(file) ?? makeKey(paths.data, file);
  if (key.length === KEY_BYTES) return key;
  throw new GateError('bad_mask_key', `${file} is not a key of ${KEY_BYTES} bytes`, {
    hint: `Remove it, and a new one is made; fingerprints of older records then no longer compare: rm ${file}`,
  });
}

/** Two gates that start at once end with one key. */
function makeKey(dir: string, file: string): Buffer {
  makePrivateDir(dir);
  writeOnce(file, randomBytes(KEY_BYTES));
  return readFileSync(file);
}
