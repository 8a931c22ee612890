import { closeSync, fstatSync, openSync } from 'node:fs';
import { RunEnd, RunStart } from '../core/record.ts';
import { readAt } from './files.ts';
import { parseRecord } from './ledger-reader.ts';

/** What a run's first and last record say of it. */
export interface RunFacts {
  /** Absent when the ledger has no readable first line. */
  readonly start?: RunStart;
  /** Absent while the run goes on, and after its gate was killed. */
  readonly end?: RunEnd;
}

const STEP = 64 * 1024;
/** No record of these two types is longer; a longer line is damage. */
const MAX_LINE = 16 * 1024 * 1024;
const NONE = Buffer.alloc(0);

/** Reads the first and the last line of a ledger, without reading it through. Throws the system's error. */
export function readRunFacts(ledger: string): RunFacts {
  const fd = openSync(ledger, 'r');
  try {
    const start = RunStart.safeParse(parseRecord(firstLine(fd))).data;
    const end = RunEnd.safeParse(parseRecord(lastLine(fd, fstatSync(fd).size))).data;
    return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
  } finally {
    closeSync(fd);
  }
}

function firstLine(fd: number): Buffer {
  for (let length = STEP; ; length *= 4) {
    const bytes = readAt(fd, 0, length);
    const end = bytes.indexOf(0x0a);
    if (end >= 0) return bytes.subarray(0, end);
    if (bytes.length < length || length > MAX_LINE) return NONE;
  }
}

/** The last whole line; what follows the last LF is torn and says nothing. */
function lastLine(fd: number, size: number): Buffer {
  for (let length = STEP; ; length *= 4) {
    const from = Math.max(0, size - length);
    const bytes = readAt(fd, from, size - from);
    const end = bytes.lastIndexOf(0x0a);
    const begin = end < 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1);
    if (end > 0 && (begin >= 0 || from === 0)) return bytes.subarray(begin + 1, end);
    if (from === 0 || length > MAX_LINE) return NONE;
  }
}
