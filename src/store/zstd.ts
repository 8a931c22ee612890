import { Decompress } from 'fzstd';

/**
 * A decoder keeps a window of so many bytes at most (RFC 9659 lets HTTP ask for 8 MiB). fzstd would take a frame's
 * word for it, up to 2 GiB.
 */
const MAX_WINDOW = 16 * 1024 * 1024;
/** fzstd moves its whole window for each block: so many bytes of that take half a second. */
const MAX_MOVED = 4 * 1024 * 1024 * 1024;

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const RLE = 1;

/** One frame of Zstandard data (RFC 8878, 3.1), as far as it is there. */
interface Frame {
  /** Where the next one begins; beyond the data where this one is cut. */
  readonly end: number;
  /** Memory that its decoder needs, bytes; 0 for a frame to be skipped. */
  readonly window: number;
  readonly blocks: number;
}

/**
 * Decodes Zstandard data, or the beginning of some. Throws where it is damaged, gives more than `limit` bytes, or asks
 * for more memory or work than any honest text does.
 */
export function unzstd(bytes: Buffer, limit: number): Buffer {
  let moved = 0;
  for (const { window, blocks } of framesOf(bytes)) {
    moved += window * blocks;
    if (window > MAX_WINDOW || moved > MAX_MOVED) throw new RangeError('zstd: too much to decode');
  }
  const pieces: Buffer[] = [];
  let length = 0;
  const stream = new Decompress((piece) => {
    length += piece.length;
    if (length > limit) throw new RangeError('zstd: too long');
    pieces.push(Buffer.from(piece));
  });
  stream.push(bytes);
  return Buffer.concat(pieces, length);
}

/** Whether the data is one frame to the last byte, with nothing before, in or behind it that decoding would drop. */
export function isOneFrame(bytes: Buffer): boolean {
  const [frame, ...more] = framesOf(bytes);
  return frame !== undefined && frame.window > 0 && frame.end === bytes.length && more.length === 0;
}

/** The frames of the data up to where it ends, also in the middle of one; up to what is no frame. */
function* framesOf(bytes: Buffer): Generator<Frame, void, undefined> {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const frame = frameAt(bytes, at);
    if (frame === undefined) return;
    yield frame;
    at = frame.end;
  }
}

function frameAt(bytes: Buffer, start: number): Frame | undefined {
  const magic = bytes.readUInt32LE(start);
  if ((magic & 0xfffffff0) === SKIPPABLE) {
    return { end: start + 8 + bytes.readUInt32LE(start + 4), window: 0, blocks: 0 };
  }
  if (magic !== MAGIC) return undefined;
  const descriptor = bytes[start + 4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const sizeAt = start + (isSingle ? 5 : 6) + dictionaryBytes;
  if (sizeAt + sizeBytes > bytes.length) return undefined;
  const window = isSingle ? sizeOf(bytes, sizeAt, sizeBytes) : windowOf(bytes[start + 5] ?? 0);
  const { end, blocks } = blocksFrom(bytes, sizeAt + sizeBytes);
  return { end: end + (descriptor & 4), window: Math.max(1, window), blocks };
}

/** The length of the content, which is the window where the frame is a single segment. */
function sizeOf(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Where the last block ends; beyond everything where it is not there. */
function blocksFrom(bytes: Buffer, from: number): { end: number; blocks: number } {
  let at = from;
  let blocks = 0;
  while (at + 3 <= bytes.length) {
    const header = bytes.readUIntLE(at, 3);
    at += 3 + (((header >> 1) & 3) === RLE ? 1 : header >> 3);
    blocks += 1;
    if ((header & 1) === 1) return { end: at, blocks };
  }
  return { end: Number.POSITIVE_INFINITY, blocks };
}
