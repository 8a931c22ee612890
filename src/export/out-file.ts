import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { EXIT, GateError, messageOf } from '../core/errors.ts';

/**
 * Writes a file, mode 0600, so that it is there whole or not at all; one that was there is replaced. Throws GateError
 * `unwritable_output` (exit 2).
 */
export async function writeOutFile(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600).catch((error: unknown) => unwritable(path, error));
  try {
    for await (const piece of pieces) await file.writeFile(piece).catch((error) => unwritable(path, error));
    await file.sync();
    await file.close();
    await rename(draft, path).catch((error: unknown) => unwritable(path, error));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

function unwritable(path: string, cause: unknown): never {
  throw new GateError('unwritable_output', `cannot write ${path}: ${messageOf(cause)}`, {
    hint: 'give another --out FILE, or none to write to standard output',
    exitCode: EXIT.usage,
    cause,
  });
}
