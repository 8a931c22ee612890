import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';

/** A body as bytes that mean something, after its content codings were taken off. */
export interface DecodedBody {
  readonly bytes: Buffer;
  /** What remained: an unknown coding, a damaged or cut stream, or more output than allowed. `bytes` is what could be read. */
  readonly problem?: string;
}

const gunzip = promisify(zlib.gunzip);
const inflate = promisify(zlib.inflate);
const inflateRaw = promisify(zlib.inflateRaw);
const brotli = promisify(zlib.brotliDecompress);
const DEFAULT_LIMIT = 256 << 20;

/**
 * Takes content codings off, last one first (RFC 9110, section 8.4): gzip, deflate (with and without its zlib
 * wrapper, as servers differ), br, zstd (RFC 8878). Never gives more than `limit` bytes and never throws: what a
 * bomb or a damaged body yields is in `problem`.
 */
export async function decodeContent(
  bytes: Buffer,
  contentEncoding: string | undefined,
  limit = DEFAULT_LIMIT,
): Promise<DecodedBody> {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  let current = bytes;
  for (const coding of codings.reverse()) {
    if (coding === '' || coding === 'identity') continue;
    try {
      current = await decodeOne(current, coding, limit);
    } catch (error) {
      return {
        bytes: current,
        problem: `${coding}: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }
  return { bytes: current };
}

async function decodeOne(bytes: Buffer, coding: string, limit: number): Promise<Buffer> {
  if (bytes.length === 0) return bytes;
  // Z_SYNC_FLUSH: a body that was cut still gives what it has
  const cut = { maxOutputLength: limit, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return gunzip(bytes, cut);
    case 'deflate':
      // RFC 1950 begins with 0x78 in practice; some servers send bare RFC 1951
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate(bytes, cut) : inflateRaw(bytes, cut);
    case 'br':
      return brotli(bytes, { maxOutputLength: limit, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return unzstd(bytes, limit);
    default:
      throw new Error('unknown content coding');
  }
}

/** fzstd, because zlib has zstd only from Node 22.15 on. It gives pieces, so that a bomb ends at the limit. */
function unzstd(bytes: Buffer, limit: number): Buffer {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((piece) => {
    total += piece.length;
    if (total > limit) throw new Error(`more than ${limit} bytes`);
    pieces.push(piece);
  });
  const step = 64 << 10;
  for (let at = 0; at < bytes.length; at += step) {
    stream.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  }
  return Buffer.concat(pieces);
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
 * As strings(1) does: a key in a program is found, and a megabyte of noise costs little. A run is looked for from its
 * far end, so that most bytes of noise are not even looked at.
 */
function printableRuns(bytes: Buffer): string {
  const printable = (at: number): boolean => PRINTABLE[bytes[at] ?? 0] === 1;
  const runs: string[] = [];
  let start = 0;
  while (start + SHORTEST_RUN <= bytes.length) {
    let odd = start + SHORTEST_RUN - 1;
    while (odd >= start && printable(odd)) odd -= 1;
    if (odd >= start) {
      start = odd + 1;
      continue;
    }
    let end = start + SHORTEST_RUN;
    while (printable(end)) end += 1;
    runs.push(`\0${bytes.toString('latin1', start, end)}`);
    start = end + 1;
  }
  return runs.join('');
}

/** Of UTF-16, which nothing else would tell. */
function byteOrderMark(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}
