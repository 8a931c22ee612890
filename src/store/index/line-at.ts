import { closeSync, fstatSync } from 'node:fs';
import { openIfThere, readAt } from '../files.ts';
import { type AnyRecord, parseRecord } from '../ledger-reader.ts';

/** A ledger in which single lines are looked up. */
export interface LineSource {
  /** File size now. */
  size(): number;
  /** The record whose line begins at a byte offset; undefined where there is none. */
  recordAt(offset: number): AnyRecord | undefined;
  /** The bytes, without LF, of the whole line that ends (with its LF) at a byte offset; undefined where none does. */
  lineBefore(end: number): Buffer | undefined;
  close(): void;
}

const STEP = 8 * 1024;
const LF = 0x0a;

/** Opens a ledger; undefined where it is missing. Throws the system's error. */
export function openLines(file: string): LineSource | undefined {
  const fd = openIfThere(file);
  if (fd === undefined) return undefined;
  return {
    size: () => fstatSync(fd).size,
    recordAt(offset) {
      const line = lineFrom(fd, offset);
      return line === undefined ? undefined : parseRecord(line);
    },
    lineBefore: (end) => lineTo(fd, end),
    close: () => closeSync(fd),
  };
}

function lineFrom(fd: number, offset: number): Buffer | undefined {
  for (let length = STEP; ; length *= 4) {
    const bytes = readAt(fd, offset, length);
    const lf = bytes.indexOf(LF);
    if (lf >= 0) return bytes.subarray(0, lf);
    if (bytes.length < length) return undefined;
  }
}

function lineTo(fd: number, end: number): Buffer | undefined {
  for (let length = STEP; ; length *= 4) {
    const start = Math.max(0, end - length);
    const bytes = readAt(fd, start, end - start);
    if (bytes.length < end - start || bytes.at(-1) !== LF) return undefined;
    const before = bytes.lastIndexOf(LF, bytes.length - 2);
    if (bytes.length > 1 && before >= 0) return bytes.subarray(before + 1, -1);
    if (start === 0) return bytes.subarray(0, -1);
  }
}
