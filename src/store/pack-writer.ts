import { createHash, type Hash, hash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { Body, BodyPart } from '../core/body.ts';
import { decodeWhole } from './content-coding.ts';
import { isEventStream, type Treatment, treatmentOf } from './content-kind.ts';
import { createCutter } from './cutter.ts';
import { createDictionaryChain, type DictionaryChain, type Packed } from './dictionary.ts';
import {
  encodeFrame,
  type FrameHead,
  type FrameRef,
  MAX_OWN_BYTES,
  packHeader,
  type Side,
} from './pack-format.ts';

/** Whose body, and what its headers say of it. */
export interface BodyMeta {
  readonly exchange: number;
  readonly side: Side;
  readonly type?: string;
  readonly encoding?: string;
}

/** A body that arrives in pieces. Each piece has its frame before `add` returns. */
export interface OpenBody {
  add(bytes: Buffer): void;
  /** The finished body, or null when nothing came. */
  finish(): Body | null;
}

/** Turns bodies into frames. It does no input or output: `take` gives the bytes that must be appended. */
export interface PackWriter {
  whole(meta: BodyMeta, bytes: Buffer): Body | null;
  open(meta: BodyMeta): OpenBody;
  /** The bytes of the frames made since the last call, in order. Those of `DIRECT_BYTES` and more are the caller's own. */
  take(): Buffer[];
  /** Where the next frame will stand: the length of the file once everything taken is appended. */
  readonly position: number;
}

/**
 * Bytes that are stored as they came are copied into their frame up to here. Longer ones are taken before the call
 * that gave them returns, so that they need not be copied.
 */
export const DIRECT_BYTES: number = 16 * 1024;

/** Parts that a ledger record names itself; more are gathered in a summary frame. */
const MAX_PARTS = 3;
/** Pieces of an open body that are remembered one by one. */
const MAX_PIECES = 1024;
/** Resent text is looked for only so far into one body: memory and time for what repeats, none for bulk. */
const MAX_DEDUP = 16 * 1024 * 1024;
/** A piece shorter than this is not cut: its chunks would begin where the network cut it. */
const MIN_CUT_PIECE = 512;

interface Slice {
  readonly meta: BodyMeta;
  readonly treatment: Treatment;
  readonly offset: number;
  readonly bytes: Buffer;
  /** Look for what was stored before. */
  readonly cut: boolean;
  /** Without a frame of its own an open body could not be attributed after a kill. */
  readonly mustHaveFrame: boolean;
}

/** Makes the writer of a new pack; its first bytes to take are the file's header. */
export function createPackWriter(): PackWriter {
  const header = packHeader();
  let pending = [header];
  let position = header.length;
  const chains = new Map<string, DictionaryChain>();
  const cutter = createCutter();

  function chainOf(meta: BodyMeta): DictionaryChain {
    const key = chainKey(meta);
    const found = chains.get(key);
    if (found !== undefined) return found;
    const made = createDictionaryChain();
    chains.set(key, made);
    return made;
  }

  function put(slice: Slice, own: Buffer, refs: readonly FrameRef[], summary = false): number {
    const at = position;
    const chain = slice.treatment === 'text' && own.length > 0 ? chainOf(slice.meta) : undefined;
    const packed = chain === undefined ? packAlone(own, slice.treatment) : chain.pack(own);
    const { stored } = packed;
    // One literal, whatever the frame: this is done for each piece of everything, and spreading costs more than zlib.
    const head: FrameHead = {
      side: slice.meta.side,
      exchange: slice.meta.exchange,
      offset: slice.offset,
      ownLength: own.length,
      refs,
      deflate: packed.deflate,
      chained: chain !== undefined,
      previous: packed.previous,
      dictionary: packed.dictionary,
      summary,
    };
    const start = encodeFrame(head, stored, at);
    chain?.add(own, at);
    if (stored.length < DIRECT_BYTES) pending.push(Buffer.concat([start, stored]));
    else pending.push(start, stored);
    position += start.length + stored.length;
    return at;
  }

  function store(slice: Slice): BodyPart {
    if (!slice.cut) return [put(slice, slice.bytes, []), 0, slice.bytes.length];
    const cut = cutter.cut(slice.bytes, slice.treatment === 'text', position);
    const only = cut.refs[0];
    if (cut.own.length === 0 && cut.refs.length === 1 && only !== undefined && !slice.mustHaveFrame) {
      return [only.frame, only.start, only.length];
    }
    const part: BodyPart = [put(slice, cut.own, cut.refs), 0, slice.bytes.length];
    cut.remember();
    return part;
  }

  function gather(meta: BodyMeta, offset: number, parts: readonly BodyPart[]): BodyPart {
    const refs = parts.map(([frame, start, length]) => ({ ownBefore: 0, frame, start, length }));
    const slice: Slice = {
      meta,
      treatment: 'raw',
      offset,
      bytes: Buffer.alloc(0),
      cut: false,
      mustHaveFrame: true,
    };
    return [put(slice, slice.bytes, refs, true), 0, lengthOf(parts)];
  }

  function storeWhole(meta: BodyMeta, bytes: Buffer): BodyPart[] {
    const treatment = treatmentOf(meta.type, meta.encoding, bytes);
    const parts: BodyPart[] = [];
    for (let offset = 0; offset < bytes.length; offset += MAX_OWN_BYTES) {
      const piece = bytes.subarray(offset, offset + MAX_OWN_BYTES);
      const slice = { meta, treatment, offset, bytes: piece, cut: offset < MAX_DEDUP, mustHaveFrame: false };
      parts.push(store(slice));
    }
    return parts.length > MAX_PARTS ? [gather(meta, 0, parts)] : parts;
  }

  return {
    whole(meta, bytes) {
      if (bytes.length === 0) return null;
      const decoded = decodeWhole(bytes, meta.type, meta.encoding);
      const wire = { bytes: bytes.length, sha256: hash('sha256', bytes, 'hex'), ...described(meta) };
      if (decoded === undefined) return { ...wire, stored: 'wire', parts: storeWhole(meta, bytes) };
      const { encoding: _, ...plain } = meta;
      const storedSha256 = hash('sha256', decoded, 'hex');
      return { ...wire, stored: 'decoded', storedSha256, parts: storeWhole(plain, decoded) };
    },
    open: (meta) => createOpenBody(meta, store, gather),
    take() {
      const taken = pending;
      pending = [];
      return taken;
    },
    get position() {
      return position;
    },
  };
}

function createOpenBody(
  meta: BodyMeta,
  store: (slice: Slice) => BodyPart,
  gather: (meta: BodyMeta, offset: number, parts: readonly BodyPart[]) => BodyPart,
): OpenBody {
  const sha: Hash = createHash('sha256');
  const events = isEventStream(meta.type);
  let treatment: Treatment | undefined;
  let gathered: BodyPart[] = [];
  let pieces: BodyPart[] = [];
  let piecesOffset = 0;
  let bytes = 0;

  function gatherPieces(): void {
    gathered.push(gather(meta, piecesOffset, pieces));
    piecesOffset = bytes;
    pieces = [];
  }

  function addPiece(piece: Buffer): void {
    treatment ??= treatmentOf(meta.type, meta.encoding, piece);
    const cut = treatment === 'text' && !events && piece.length >= MIN_CUT_PIECE && bytes < MAX_DEDUP;
    pieces.push(store({ meta, treatment, offset: bytes, bytes: piece, cut, mustHaveFrame: true }));
    bytes += piece.length;
    if (pieces.length >= MAX_PIECES) gatherPieces();
    if (gathered.length >= MAX_PIECES) gathered = [gather(meta, 0, gathered)];
  }

  return {
    add(given) {
      sha.update(given);
      for (let at = 0; at < given.length; at += MAX_OWN_BYTES) {
        addPiece(given.subarray(at, at + MAX_OWN_BYTES));
      }
    },
    finish() {
      if (bytes === 0) return null;
      if (gathered.length > 0 && pieces.length > 0) gatherPieces();
      const parts = gathered.length > 0 ? gathered : pieces;
      const few = parts.length > MAX_PARTS ? [gather(meta, 0, parts)] : parts;
      return { bytes, sha256: sha.digest('hex'), ...described(meta), stored: 'wire', parts: few };
    },
  };
}

/**
 * Bodies and the texts of analyses share a chain: what is said in one is said again in the next. Events and messages
 * are many and small, and would push everything else out of it.
 */
function chainKey({ side, type }: BodyMeta): string {
  if (side === 'client' || side === 'server') return side;
  return isEventStream(type) ? 'events' : 'bodies';
}

function lengthOf(parts: readonly BodyPart[]): number {
  return parts.reduce((sum, part) => sum + part[2], 0);
}

function described(meta: BodyMeta): { type?: string; encoding?: string } {
  return {
    ...(meta.type === undefined ? {} : { type: meta.type }),
    ...(meta.encoding === undefined ? {} : { encoding: meta.encoding }),
  };
}

function packAlone(own: Buffer, treatment: Treatment): Packed {
  if (treatment === 'shrinks') {
    const stored = deflateRawSync(own, { level: 1 });
    if (stored.length < own.length) return { stored, deflate: true, previous: undefined, dictionary: 0 };
  }
  return { stored: own, deflate: false, previous: undefined, dictionary: 0 };
}
