import type { Io } from '../../core/io.ts';

/** Writes to stdout and waits for a slow reader, so that a long list does not pile up in memory. */
export async function print(io: Io, text: string | Uint8Array): Promise<void> {
  if (io.stdout.write(text)) return;
  await new Promise<void>((done) => {
    io.stdout.once('drain', done);
    io.stdout.once('close', done);
  });
}
