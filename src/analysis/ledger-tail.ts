import { openSync, readSync } from 'node:fs';
import { type AnyRecord, parseRecord } from '../store/ledger-reader.ts';

/** A ledger that is being written, read on from where the last look ended. */
export interface LedgerTail {
  /** Gives the records of the whole lines that have come. The rest of a line that is being written comes next time. */
  read(take: (record: AnyRecord) => void): void;
}

const LF = 0x0a;
const STEP = 64 * 1024;

/**
 * Follows a ledger with one descriptor and one buffer, on the thread that asks: that thread has nothing else to do,
 * and what was written a moment ago comes from memory. Damaged lines are passed over.
 */
export function followLedger(file: string): LedgerTail {
  const step = Buffer.allocUnsafeSlow(STEP);
  let fd: number | undefined;
  let offset = 0;
  let begun: Buffer[] = [];

  function lines(bytes: Buffer, take: (record: AnyRecord) => void): void {
    let at = 0;
    for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, at)) {
      const rest = bytes.subarray(at, lf);
      at = lf + 1;
      const record = parseRecord(begun.length === 0 ? rest : Buffer.concat([...begun, rest]));
      begun = [];
      if (record !== undefined) take(record);
    }
    if (at < bytes.length) begun.push(Buffer.from(bytes.subarray(at)));
  }

  return {
    read(take) {
      fd ??= openSync(file, 'r');
      for (;;) {
        const length = readSync(fd, step, 0, STEP, offset);
        if (length === 0) return;
        offset += length;
        lines(step.subarray(0, length), take);
      }
    },
  };
}
