import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appendPieces } from '../../../src/store/files.ts';
import { tempDir } from './support.ts';

it('appends any number of pieces in their order, also more than one system call takes', () => {
  const path = join(tempDir(), 'file');
  const pieces = Array.from({ length: 2500 }, (_, n) => randomBytes(n % 97));
  const fd = openSync(path, 'a');
  appendPieces(fd, pieces.slice(0, 2400));
  appendPieces(fd, []);
  appendPieces(fd, pieces.slice(2400));
  closeSync(fd);
  expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
});
