import { crc32 } from 'node:zlib';
import { putVarint, type VarintReader, varintReader } from './varint.ts';

/**
 * The bytes of `bodies.pack`, version 1: docs/data-format.md is the reference.
 * File: a header, then frames. Frame: magic, length, CRC-32, head (varints), own bytes.
 */
export const PACK_HEADER_BYTES = 16;
/** Magic, length and checksum: what comes before a frame's head. */
export const FRAME_FIXED_BYTES = 9;
/** Own bytes of one frame before compression. Bounds what a reader must hold to read any byte. */
export const MAX_OWN_BYTES = 256 * 1024;
/** No frame is longer in the file; a length beyond it is damage. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** A dictionary chain begins anew after this many frames. Bounds the frames needed to read one. */
export const MAX_CHAIN = 64;
/** The most text that raw deflate can look back at (RFC 1951). */
export const MAX_DICTIONARY = 32 * 1024;

const PACK_MAGIC = 'GATEPACK';
const PACK_VERSION = 1;
const FRAME_MAGIC = Buffer.from([0xa7, 0x46]);

const DEFLATE = 1;
const CHAINED = 2;
const HAS_PREVIOUS = 4;
const SUMMARY = 8;
const HAS_REFS = 16;
/** The side's number stands above the flags. */
const SIDE_SHIFT = 5;

const SIDES = ['request', 'response', 'client', 'server', 'content'] as const;
/** Whose bytes a frame carries: a body of an exchange, a WebSocket message, or the texts of an analysis. */
export type Side = (typeof SIDES)[number];

/** A stretch of an earlier frame's content, placed after `ownBefore` further own bytes. */
export interface FrameRef {
  readonly ownBefore: number;
  /** File offset of the earlier frame. */
  readonly frame: number;
  readonly start: number;
  readonly length: number;
}

export interface FrameHead {
  readonly side: Side;
  /** Seq of the exchange's first record. */
  readonly exchange: number;
  /** Where the frame's content begins within its body. */
  readonly offset: number;
  /** Own bytes, decoded. */
  readonly ownLength: number;
  readonly refs: readonly FrameRef[];
  readonly deflate: boolean;
  /** The own bytes prolong a dictionary chain. */
  readonly chained: boolean;
  /** The chain's previous frame (file offset); undefined on the first of a chain. */
  readonly previous: number | undefined;
  /**
   * At most this many of the chain's last bytes, up to and with `previous`, are the dictionary of this frame: a
   * power of two, or 0 for none.
   */
  readonly dictionary: number;
  /** The frame only gathers pieces that other frames of the same body already gave. */
  readonly summary: boolean;
}

/** Bytes of a frame's content: its own and those that it refers to. */
export function contentLength(head: FrameHead): number {
  return head.refs.reduce((sum, ref) => sum + ref.length, head.ownLength);
}

/** The header of a new pack. */
export function packHeader(): Buffer {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  header.write(PACK_MAGIC, 'latin1');
  header.writeUInt32LE(PACK_VERSION, 8);
  return header;
}

/** The version of a pack by its header, or undefined for anything that is not a pack. */
export function packVersion(header: Buffer): number | undefined {
  if (header.length < PACK_HEADER_BYTES || header.toString('latin1', 0, 8) !== PACK_MAGIC) return undefined;
  return header.readUInt32LE(8);
}

/** Whether this reader knows the version. */
export function isKnownPack(header: Buffer): boolean {
  return packVersion(header) === PACK_VERSION;
}

/** Makes the beginning of the frame that will stand at `position`; own bytes, as they are stored, come behind it. */
export function encodeFrame(head: FrameHead, stored: Buffer, position: number): Buffer {
  const bytes = encodeHead(head, position);
  const start = Buffer.allocUnsafe(FRAME_FIXED_BYTES + bytes.length);
  FRAME_MAGIC.copy(start, 0);
  start.writeUIntLE(bytes.length + stored.length, 2, 3);
  start.set(bytes, FRAME_FIXED_BYTES);
  start.writeUInt32LE(crc32(stored, checksum(start)), 5);
  return start;
}

/** Length of the whole frame by its first bytes, or undefined where no frame begins. */
export function frameLength(fixed: Buffer): number | undefined {
  if (fixed.length < FRAME_FIXED_BYTES || fixed.compare(FRAME_MAGIC, 0, 2, 0, 2) !== 0) return undefined;
  const length = FRAME_FIXED_BYTES + fixed.readUIntLE(2, 3);
  return length > MAX_FRAME_BYTES ? undefined : length;
}

/** Where the next frame may begin at or after `from`, by its magic; -1 where none does. */
export function findFrameMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf(FRAME_MAGIC, from);
}

/** Takes a whole frame apart. Undefined when its checksum or its head is wrong. */
export function decodeFrame(
  frame: Buffer,
  position: number,
): { head: FrameHead; stored: Buffer } | undefined {
  if (frame.readUInt32LE(5) !== checksum(frame)) return undefined;
  try {
    return decodeBody(frame, position);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(FRAME_FIXED_BYTES), crc32(frame.subarray(2, 5)));
}

function encodeHead(head: FrameHead, position: number): number[] {
  const flags =
    (head.deflate ? DEFLATE : 0) |
    (head.chained ? CHAINED : 0) |
    (head.previous === undefined ? 0 : HAS_PREVIOUS) |
    (head.summary ? SUMMARY : 0) |
    (head.refs.length === 0 ? 0 : HAS_REFS);
  const out = [flags | (SIDES.indexOf(head.side) << SIDE_SHIFT)];
  putVarint(out, head.exchange);
  putVarint(out, head.offset);
  putVarint(out, head.ownLength);
  if (head.previous !== undefined) {
    putVarint(out, position - head.previous);
    out.push(head.dictionary === 0 ? 0 : Math.log2(head.dictionary));
  }
  if (head.refs.length > 0) encodeRefs(out, head, position);
  return out;
}

function encodeRefs(out: number[], head: FrameHead, position: number): void {
  putVarint(out, head.refs.length);
  for (const ref of head.refs) {
    if (head.ownLength > 0) putVarint(out, ref.ownBefore);
    // Distances instead of offsets: they stay short in a long pack.
    putVarint(out, position - ref.frame);
    putVarint(out, ref.start);
    putVarint(out, ref.length);
  }
}

function decodeBody(frame: Buffer, position: number): { head: FrameHead; stored: Buffer } | undefined {
  const flags = frame[FRAME_FIXED_BYTES] ?? 0;
  const side = SIDES[flags >> SIDE_SHIFT];
  if (side === undefined) return undefined;
  const reader = varintReader(frame, FRAME_FIXED_BYTES + 1);
  const [exchange, offset, ownLength] = [reader.next(), reader.next(), reader.next()];
  const chain = flags & HAS_PREVIOUS ? decodeChain(reader, position) : { previous: undefined, dictionary: 0 };
  const refs = flags & HAS_REFS ? decodeRefs(reader, position, ownLength) : [];
  const head = {
    side,
    exchange,
    offset,
    ownLength,
    refs,
    ...chain,
    deflate: (flags & DEFLATE) !== 0,
    chained: (flags & CHAINED) !== 0,
    summary: (flags & SUMMARY) !== 0,
  };
  return { head, stored: frame.subarray(reader.position) };
}

function decodeChain(reader: VarintReader, position: number): { previous: number; dictionary: number } {
  const previous = back(position, reader.next());
  const exponent = reader.next();
  if (exponent > Math.log2(MAX_DICTIONARY)) throw new RangeError('a dictionary beyond the window');
  return { previous, dictionary: exponent === 0 ? 0 : 2 ** exponent };
}

function decodeRefs(reader: VarintReader, position: number, ownLength: number): FrameRef[] {
  const refs: FrameRef[] = [];
  for (let left = reader.next(); left > 0; left -= 1) {
    const ownBefore = ownLength > 0 ? reader.next() : 0;
    const frame = back(position, reader.next());
    refs.push({ ownBefore, frame, start: reader.next(), length: reader.next() });
  }
  return refs;
}

/** A frame names only frames before it: what says otherwise is damage, and could send a reader in circles. */
function back(position: number, distance: number): number {
  if (distance <= 0 || distance > position) throw new RangeError('a frame that refers forward');
  return position - distance;
}
