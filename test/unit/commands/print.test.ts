import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { print } from '../../../src/commands/reading/print.ts';
import type { Io } from '../../../src/core/io.ts';

/** A reader that takes one piece a turn of the event loop, and is full with each. */
function slowReader(): { io: Io; pieces: string[] } {
  const pieces: string[] = [];
  const stdout = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk.toString());
      setImmediate(done);
    },
  });
  return { io: { stdout, stderr: stdout, stdin: process.stdin, env: {}, cwd: '/' }, pieces };
}

test('a slow reader is waited for, and no listener stays for what it has taken', async () => {
  const { io, pieces } = slowReader();
  const before = io.stdout.listenerCount('close') + io.stdout.listenerCount('drain');
  for (let n = 0; n < 50; n += 1) {
    await print(io, `piece ${n}`);
    expect(io.stdout.writableLength).toBe(0);
  }
  expect(pieces).toHaveLength(50);
  expect(io.stdout.listenerCount('close') + io.stdout.listenerCount('drain')).toBe(before);
});

test('a reader that goes away is not waited for', async () => {
  const { io } = slowReader();
  const printing = print(io, 'piece');
  io.stdout.destroy();
  await printing;
  await turn();
  expect(io.stdout.destroyed).toBe(true);
});
