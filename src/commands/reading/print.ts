import type { Io } from '../../core/io.ts';

/** Writes to stdout and waits for a slow reader, so that a long list does not pile up in memory. */
export async function print(io: Io, text: string | Uint8Array): Promise<void> {
  const { stdout } = io;
  if (stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    // Both go when one has come: thousands of pieces must not leave a listener each.
    const done = (): void => {
      stdout.off('drain', done);
      stdout.off('close', done);
      resolve();
    };
    stdout.on('drain', done);
    stdout.on('close', done);
  });
}
