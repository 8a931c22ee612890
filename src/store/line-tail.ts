import { closeSync, fstatSync } from 'node:fs';
import { FIRST_PREV, lineHash } from './chain.ts';
import { openIfThere, readAt } from './files.ts';
import { parseRecord } from './ledger-reader.ts';

/** How a chained file ends. */
export interface LineTail {
  /** The seq that the next record gets: every line counts, whether it can be read or not. */
  readonly nextSeq: number;
  /** Hash of the last line, torn or not; what the next record's `prev` carries. */
  readonly head: string;
  /** Whole lines, and the hash of the last of them. */
  readonly whole: { readonly records: number; readonly head: string };
  /** Bytes after the last LF; 0 in a file that was written to its end. */
  readonly tornBytes: number;
}

const EMPTY: LineTail = {
  nextSeq: 0,
  head: FIRST_PREV,
  whole: { records: 0, head: FIRST_PREV },
  tornBytes: 0,
};
const STEP = 64 * 1024;
const LF = 0x0a;

/**
 * Finds the end of a chained file from its end, without reading it through; a missing file is an empty one.
 * A last line that is no record is counted by its distance from the last that is.
 */
export function readLineTail(file: string): LineTail {
  const fd = openIfThere(file);
  if (fd === undefined) return EMPTY;
  try {
    return tailOf(fd);
  } finally {
    closeSync(fd);
  }
}

function tailOf(fd: number): LineTail {
  const size = fstatSync(fd).size;
  if (size === 0) return EMPTY;
  for (let length = STEP; ; length *= 4) {
    const start = Math.max(0, size - length);
    const found = fromBytes(readAt(fd, start, size - start), start === 0);
    if (found !== undefined) return found;
  }
}

/** Undefined when no record is whole within the bytes and there are more before them. */
function fromBytes(bytes: Buffer, isWholeFile: boolean): LineTail | undefined {
  const lastLf = bytes.lastIndexOf(LF);
  const torn = bytes.subarray(lastLf + 1);
  let end = lastLf;
  let last: Buffer | undefined;
  let unreadable = 0;
  while (end >= 0) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(LF, end - 1);
    if (before === -1 && !isWholeFile) return undefined;
    const line = bytes.subarray(before + 1, end);
    last ??= line;
    const seq = seqOf(line);
    if (seq !== undefined) return summary(seq + 1 + unreadable, last, torn);
    unreadable += 1;
    end = before;
  }
  return isWholeFile ? summary(unreadable, last, torn) : undefined;
}

function summary(records: number, last: Buffer | undefined, torn: Buffer): LineTail {
  const whole = { records, head: last === undefined ? FIRST_PREV : lineHash(last) };
  if (torn.length === 0) return { nextSeq: records, head: whole.head, whole, tornBytes: 0 };
  return { nextSeq: records + 1, head: lineHash(torn), whole, tornBytes: torn.length };
}

/** Undefined where the line is damaged: the caller looks further back. */
function seqOf(line: Buffer): number | undefined {
  const seq = parseRecord(line)?.['seq'];
  return Number.isSafeInteger(seq) ? Number(seq) : undefined;
}
