import { type FileHandle, open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import type { BodyPart } from '../core/body.ts';
import { GateError } from '../core/errors.ts';
import { createByteCache } from './byte-cache.ts';
import { damaged, missing } from './pack-damage.ts';
import {
  decodeFrame,
  FRAME_FIXED_BYTES,
  type FrameHead,
  frameLength,
  isKnownPack,
  MAX_CHAIN,
  PACK_HEADER_BYTES,
} from './pack-format.ts';
import { blockingReader, pooledReader, type ReadAt } from './read-at.ts';
import { type Stretch, split, takeEqual, toStretch } from './stretch.ts';
import { createTail } from './tail.ts';

/** What a reader needs of a `Body`: its extents, in order. */
export interface BodyParts {
  readonly parts: readonly BodyPart[];
}

/** Reads bodies out of a pack, also while its run goes on. */
export interface PackReader {
  /**
   * The stored bytes of a body, piece by piece. Fails with GateError `body_missing` (the pack ends before it) or
   * `body_damaged`; what came before the failure is right.
   */
  stream(body: BodyParts): AsyncGenerator<Buffer, void, undefined>;
  /** The same as one buffer, cut after `limit` bytes. */
  read(body: BodyParts, limit?: number): Promise<Buffer>;
  close(): Promise<void>;
}

interface Frame {
  readonly head: FrameHead;
  readonly stored: Buffer;
}

/** One read fetches most frames whole. */
const FIRST_READ = 8 * 1024;
/** Enough for the frames of a whole dictionary chain, so that reading on never starts over. */
const CACHE_BYTES = 20 * 1024 * 1024;

/** What a buffer or a frame's head takes besides its bytes, and each reference: events are many and small. */
const OBJECT_BYTES = 500;
const REF_BYTES = 64;
const frameBytes = ({ stored, head }: Frame): number =>
  stored.length + 2 * OBJECT_BYTES + head.refs.length * REF_BYTES;

export interface PackReaderOptions {
  /**
   * Read on the thread that asks. For a thread with nothing else to do: what was written a moment ago comes from
   * memory in microseconds, and the way through the thread pool costs twenty times that.
   */
  readonly blocking?: boolean;
}

/** Opens a pack for reading. Fails with GateError `body_missing` or `bad_pack`. */
export async function openPackReader(file: string, options: PackReaderOptions = {}): Promise<PackReader> {
  const handle = await openPack(file);
  const readAt = options.blocking === true ? blockingReader(handle) : pooledReader(handle);
  const readFrame = createFrameReader(readAt, options.blocking === true);
  const frames = createByteCache<Frame>(CACHE_BYTES / 4, frameBytes);
  const owns = createByteCache<Buffer>(CACHE_BYTES, (own) => own.length + OBJECT_BYTES);

  async function frameAt(at: number): Promise<Frame> {
    const cached = frames.get(at);
    if (cached !== undefined) return cached;
    const bytes = await readFrame(at);
    const frame = decodeFrame(bytes, at);
    if (frame === undefined) throw damaged(at, 'checksum or head is wrong');
    frames.set(at, frame);
    return frame;
  }

  /** The frames from the beginning of the dictionary chain to this one. */
  async function chainTo(at: number): Promise<number[]> {
    const chain = [at];
    let frame = await frameAt(at);
    while (frame.head.previous !== undefined) {
      if (chain.length >= MAX_CHAIN) throw damaged(at, 'its dictionary chain is too long');
      chain.unshift(frame.head.previous);
      frame = await frameAt(frame.head.previous);
    }
    return chain;
  }

  /** A frame's dictionary out of what was read before: most are read in the order in which they were written. */
  async function rememberedDictionary(head: FrameHead): Promise<Buffer | undefined> {
    const links: Buffer[] = [];
    let bytes = 0;
    for (let at = head.previous; at !== undefined && bytes < head.dictionary; ) {
      const own = owns.get(at);
      if (own === undefined || links.length >= MAX_CHAIN) return undefined;
      links.unshift(own);
      bytes += own.length;
      at = (await frameAt(at)).head.previous;
    }
    const all = Buffer.concat(links, bytes);
    return all.subarray(Math.max(0, bytes - head.dictionary));
  }

  async function ownOf(at: number): Promise<Buffer> {
    const cached = owns.get(at);
    if (cached !== undefined) return cached;
    const { head, stored } = await frameAt(at);
    if (!head.deflate || head.dictionary === 0) return keep(at, unpack(at, head, stored, Buffer.alloc(0)));
    const dictionary = await rememberedDictionary(head);
    if (dictionary !== undefined) return keep(at, unpack(at, head, stored, dictionary));
    const tail = createTail();
    let own: Buffer = Buffer.alloc(0);
    for (const link of await chainTo(at)) {
      const frame = await frameAt(link);
      own =
        owns.get(link) ??
        keep(link, unpack(link, frame.head, frame.stored, tail.last(frame.head.dictionary)));
      tail.push(own);
    }
    return own;
  }

  function keep(at: number, own: Buffer): Buffer {
    owns.set(at, own);
    return own;
  }

  /** Gives the bytes of a stack of stretches, the first on top. */
  async function* expand(left: Stretch[]): AsyncGenerator<Buffer, void, undefined> {
    // A stack, not recursion: a resent history refers back turn by turn, as deep as it is long.
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (next.kind === 'own') {
        const own = await ownOf(next.frame);
        yield own.subarray(next.start, next.start + next.length);
        continue;
      }
      const { head } = await frameAt(next.frame);
      const parts = split(next, head).reverse();
      const times = takeEqual(left, next);
      if (times === 0) {
        left.push(...parts);
        continue;
      }
      // What repeats itself at once, such as a megabyte of blanks, is looked up once.
      const pieces: Buffer[] = [];
      for await (const piece of expand(parts)) pieces.push(piece);
      for (let time = 0; time <= times; time += 1) yield* pieces;
    }
  }

  const stream = ({ parts }: BodyParts) => expand(parts.map(toStretch).reverse());

  return {
    stream,
    async read(body, limit = Number.POSITIVE_INFINITY) {
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of stream(body)) {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes >= limit) break;
      }
      return Buffer.concat(pieces, Math.min(bytes, limit));
    },
    close: () => handle.close(),
  };
}

/**
 * Opens the bodies of a run; undefined where they are missing, or no pack. Who reads then says of each body that it
 * cannot be read, and `gate verify` says why.
 */
export async function openPackIfThere(
  file: string,
  options: PackReaderOptions = {},
): Promise<PackReader | undefined> {
  try {
    return await openPackReader(file, options);
  } catch {
    return undefined;
  }
}

function unpack(at: number, head: FrameHead, stored: Buffer, dictionary: Buffer): Buffer {
  const own = head.deflate ? inflate(at, head, stored, dictionary) : stored;
  if (own.length !== head.ownLength) throw damaged(at, 'its length is wrong');
  return own;
}

function inflate(at: number, head: FrameHead, stored: Buffer, dictionary: Buffer): Buffer {
  try {
    // One buffer of the right size: zlib's own choice of 16 KiB would be kept whole for an event of a hundred bytes.
    const chunkSize = Math.max(64, head.ownLength + 1);
    const options = { maxOutputLength: Math.max(1, head.ownLength), chunkSize };
    return inflateRawSync(stored, dictionary.length === 0 ? options : { ...options, dictionary });
  } catch (error) {
    throw damaged(at, 'it cannot be decompressed', error);
  }
}

async function openPack(file: string): Promise<FileHandle> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new GateError('body_missing', `cannot open ${file}`, { cause: error });
  });
  try {
    const header = await pooledReader(handle)(Buffer.allocUnsafeSlow(PACK_HEADER_BYTES), 0);
    if (isKnownPack(header)) return handle;
    throw new GateError('bad_pack', `${file} is no pack of a version that this gate reads`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads a frame's bytes, into a buffer of their own, since frames are kept. */
function createFrameReader(readAt: ReadAt, blocking: boolean): (at: number) => Promise<Buffer> {
  // What blocks is done with the first bytes before anybody else can ask.
  const shared = blocking ? Buffer.allocUnsafeSlow(FIRST_READ) : undefined;

  return async (at) => {
    const reading = readAt(shared ?? Buffer.allocUnsafeSlow(FIRST_READ), at);
    const first = reading instanceof Promise ? await reading : reading;
    if (first.length < FRAME_FIXED_BYTES) throw missing(at);
    const length = frameLength(first);
    if (length === undefined) throw damaged(at, 'no frame begins there');
    // Most are much shorter than what was read.
    if (length <= first.length) return Buffer.from(first.subarray(0, length));
    const frame = Buffer.allocUnsafeSlow(length);
    const done = first.copy(frame);
    const rest = await readAt(frame.subarray(done), at + done);
    if (done + rest.length < length) throw missing(at);
    return frame;
  };
}
