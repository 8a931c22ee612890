import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatLine, innerJson, lineHash } from './chain.ts';
import { appendAll, makePrivateDir, readIfThere, syncDir } from './files.ts';
import { readLineTail } from './line-tail.ts';
import { withLock } from './lock.ts';

/** A record that is still to get its envelope. */
export interface NewRecord {
  readonly type: string;
  readonly fields: object;
}

/** A small chained file that many processes append to (`actions.jsonl`, `heads.jsonl`). */
export interface ChainedLog {
  /** Appends records, flushed when it returns. Throws GateError `locked` or the system's error. */
  append(...records: readonly NewRecord[]): void;
  /** Reads the file and appends what `decide` makes of it, with no other writer in between. */
  update(decide: (text: string) => readonly NewRecord[]): void;
}

/** How a chained file stands: its lines, and the hash of the last. */
export interface LogHead {
  readonly records: number;
  readonly head: string;
}

/** Makes the appender of a chained file, shared through a lock. */
export function createChainedLog(deps: { readonly file: string; readonly lock: string }): ChainedLog {
  const { file, lock } = deps;
  return {
    append(...records) {
      withLock(lock, () => appendRecords(file, records));
    },
    update(decide) {
      withLock(lock, () => appendRecords(file, decide(readText(file))));
    },
  };
}

/**
 * Appends records, flushed when it returns; the caller holds the lock. After a torn tail (a writer that was killed, a
 * full disk) it ends the torn line and adds a `recovered` record, whose `prev` covers the torn bytes too.
 */
export function appendRecords(file: string, records: readonly NewRecord[]): LogHead {
  const tail = readLineTail(file);
  const torn = tail.tornBytes;
  if (records.length === 0) return { records: tail.nextSeq, head: tail.head };
  const all = torn > 0 ? [{ type: 'recovered', fields: { bytes: torn } }, ...records] : records;
  let seq = tail.nextSeq;
  let prev = tail.head;
  let text = torn > 0 ? '\n' : '';
  for (const { type, fields } of all) {
    const line = formatLine({ seq, type, at: new Date().toISOString(), prev }, innerJson(fields));
    text += `${line}\n`;
    prev = lineHash(line);
    seq += 1;
  }
  appendFlushed(file, Buffer.from(text), tail.nextSeq === 0);
  return { records: seq, head: prev };
}

/** The text of a file, empty where there is none. */
export function readText(file: string): string {
  return readIfThere(file)?.toString() ?? '';
}

function appendFlushed(file: string, bytes: Buffer, isNew: boolean): void {
  makePrivateDir(dirname(file));
  const fd = openSync(file, 'a', 0o600);
  try {
    appendAll(fd, bytes);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (isNew) syncDir(dirname(file));
}
