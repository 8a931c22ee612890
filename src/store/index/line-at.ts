import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from '../../core/errors.ts';
import type { AnyRecord } from '../ledger-reader.ts';
import { asObject } from './fields.ts';

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
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return {
    size: () => fstatSync(fd).size,
    recordAt: (offset) => parse(lineFrom(fd, offset)),
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

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

function parse(line: Buffer | undefined): AnyRecord | undefined {
  if (line === undefined) return undefined;
  try {
    return asObject(JSON.parse(line.toString()));
  } catch {
    // Damaged, or no line begins there any more: what it said is not known.
    return undefined;
  }
}
