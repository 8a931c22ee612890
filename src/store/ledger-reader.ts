import { createReadStream, statSync } from 'node:fs';
import { codeOf } from '../core/errors.ts';

/** One line of a chained file. */
export interface LedgerLine {
  /** Counted from 0; the seq that the line should have. */
  readonly index: number;
  /** File offset of its first byte, and of the byte after its LF. */
  readonly start: number;
  readonly end: number;
  /** Its bytes, without LF. */
  readonly bytes: Buffer;
  /** The file ends without the line's LF: a writer was killed in it, or is in it now. */
  readonly torn: boolean;
  /** The object on the line, whatever its type; undefined where the line is damaged. */
  readonly record: AnyRecord | undefined;
}

/** A record as found: later versions may have other types and fields. */
export type AnyRecord = { readonly [field: string]: unknown };

const LF = 0x0a;
/** Bytes that are read at once; most ledgers are far smaller, and there are thousands of them. */
const MAX_READ = 256 * 1024;
const MIN_READ = 4 * 1024;

/**
 * Streams the lines of a ledger (or of `heads.jsonl`, `actions.jsonl`) from a byte offset that begins a line.
 * Damage in a line hides nothing of what follows. A missing file has no lines.
 */
export async function* readLedger(
  file: string,
  from: { readonly offset: number; readonly index: number } = { offset: 0, index: 0 },
): AsyncGenerator<LedgerLine, void, undefined> {
  let { index, offset: start } = from;
  let pending: Buffer[] = [];

  function line(bytes: Buffer, torn: boolean): LedgerLine {
    const end = start + bytes.length + (torn ? 0 : 1);
    const made = { index, start, end, bytes, torn, record: parseRecord(bytes) };
    index += 1;
    start = end;
    return made;
  }

  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const highWaterMark = Math.min(MAX_READ, Math.max(MIN_READ, size - from.offset));
  try {
    for await (const chunk of createReadStream(file, { start: from.offset, highWaterMark })) {
      const bytes = chunk as Buffer;
      let at = 0;
      for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, at)) {
        const rest = bytes.subarray(at, lf);
        at = lf + 1;
        const whole = pending.length === 0 ? rest : Buffer.concat([...pending, rest]);
        pending = [];
        yield line(whole, false);
      }
      if (at < bytes.length) pending.push(bytes.subarray(at));
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (pending.length > 0) yield line(Buffer.concat(pending), true);
}

/** The object on a line, or undefined where the line is damaged. */
export function parseRecord(line: Buffer | string): AnyRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(line.toString());
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as AnyRecord)
      : undefined;
  } catch {
    // Damaged: the line itself says so by having no record.
    return undefined;
  }
}
