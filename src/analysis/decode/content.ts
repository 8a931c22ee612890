import { isUtf8 } from 'node:buffer';
import { messageOf } from '../../core/errors.ts';
import { offCoding } from './codings.ts';

/** A body as bytes that mean something, after its content codings were taken off. */
export interface DecodedBody {
  readonly bytes: Buffer;
  /** What remained: an unknown coding, a damaged stream, or more output than allowed. `bytes` is what could be read. */
  readonly problem?: string;
}

/** Bytes as they come, from the beginning each time it is asked. */
export type Source = () => AsyncIterable<Buffer>;

/**
 * Takes content codings off, last one first (RFC 9110, section 8.4), piece by piece: neither the coded body nor what
 * lies between two codings is ever held whole. Never gives more than `limit` bytes and never throws: the beginning of
 * a bomb or of a damaged body is in `bytes`, and what is wrong with it in `problem`. What is not in a coding that it
 * claims to be in is given as it came.
 */
export async function decodeContent(
  source: Source,
  contentEncoding: string | undefined,
  limit: number,
): Promise<DecodedBody> {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
    .reverse();
  let problem: string | undefined;
  for (;;) {
    const off = codings.reduce((pieces, coding) => offCoding(coding, pieces, limit), source());
    const decoded = await collect(off, limit);
    problem ??= decoded.problem;
    const isNothing = decoded.bytes.length === 0 && decoded.problem !== undefined;
    if (!isNothing || codings.pop() === undefined)
      return { bytes: decoded.bytes, ...(problem === undefined ? {} : { problem }) };
  }
}

async function collect(pieces: AsyncIterable<Buffer>, limit: number): Promise<DecodedBody> {
  const kept: Buffer[] = [];
  let total = 0;
  let problem: string | undefined;
  try {
    for await (const piece of pieces) {
      kept.push(piece);
      total += piece.length;
      if (total <= limit) continue;
      problem = `more than ${limit} bytes`;
      break;
    }
  } catch (error) {
    problem = messageOf(error);
  }
  const [only = Buffer.alloc(0)] = kept;
  const bytes = kept.length <= 1 ? only.subarray(0, limit) : Buffer.concat(kept, Math.min(total, limit));
  return { bytes, ...(problem === undefined ? {} : { problem }) };
}

/**
 * The text of a body by its charset: that of the content type, else a byte order mark's, else UTF-8. Bytes that
 * are not valid in it become U+FFFD; an unknown charset is read as UTF-8. Of what is no text, only
 * the text inside is read: runs of printable ASCII, each after a NUL.
 */
export function decodeText(bytes: Buffer, contentType: string | undefined): string {
  const named = /charset\s{0,4}=\s{0,4}"?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1];
  const charset = named ?? byteOrderMark(bytes);
  if (charset === undefined && isBinary(bytes)) return printableRuns(bytes);
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder('utf-8').decode(bytes);
  }
}

/** An address of mail has hardly less. */
const SHORTEST_RUN = 6;

/** UTF-8 of any text has no NUL; where fields of a binary format stand around UTF-8, it is still read as that. */
function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 4096).includes(0) && !isUtf8(bytes);
}

/** Tab, the line ends and what has a glyph, by byte. */
const PRINTABLE = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d) ? 1 : 0,
);

/**
 * As strings(1) does: a key in a program is found, and a megabyte of noise costs little. Six bytes in a row have three
 * in a row that begin at a multiple of three, which noise seldom has: only there a run is looked for.
 */
function printableRuns(bytes: Buffer): string {
  const printable = (at: number): number => PRINTABLE[bytes[at] ?? 0] ?? 0;
  const runs: string[] = [];
  let after = 0;
  for (let at = 0; at + 2 < bytes.length; at += 3) {
    if ((printable(at) & printable(at + 1) & printable(at + 2)) === 0) continue;
    let start = at;
    while (start > after && printable(start - 1) === 1) start -= 1;
    let end = at + 3;
    while (end < bytes.length && printable(end) === 1) end += 1;
    if (end - start >= SHORTEST_RUN) runs.push(`\0${bytes.toString('latin1', start, end)}`);
    after = end;
    at = end - (end % 3);
  }
  return runs.join('');
}

/** Of UTF-16, which nothing else would tell. */
function byteOrderMark(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}
