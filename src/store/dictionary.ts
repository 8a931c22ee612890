import { deflateRawSync } from 'node:zlib';
import { MAX_CHAIN, MAX_DICTIONARY } from './pack-format.ts';
import { createTail } from './tail.ts';

/** How own bytes are stored, and what a reader needs to have them back. */
export interface Packed {
  readonly stored: Buffer;
  readonly deflate: boolean;
  readonly previous: number | undefined;
  readonly dictionary: number;
}

/** The text that one side of the traffic stored last: what the next text of that side is compressed against. */
export interface DictionaryChain {
  /** Compresses text against the chain. */
  pack(own: Buffer): Packed;
  /** Prolongs the chain by text that was stored in the frame at `position`. */
  add(own: Buffer, position: number): void;
}

/** Below this, no compression pays for its own cost. */
const WORTHWHILE = 48;
/** Text shorter than this is looked up in a short dictionary: filling 32 KiB of hash tables costs 0.15 ms. */
const SHORT = 2048;
const SHORT_DICTIONARY = 8 * 1024;
/** An event of a stream waits for its own compression, and looks like the few before it. */
const TINY = 512;
const TINY_DICTIONARY = 2 * 1024;
/** Text longer than this is compressed fast rather than well; others wait behind it. */
const LONG = 64 * 1024;

/** Makes an empty chain. It begins anew after `MAX_CHAIN` frames, so that few frames are needed to read one. */
export function createDictionaryChain(): DictionaryChain {
  const tail = createTail();
  let previous: number | undefined;
  let depth = 0;
  return {
    pack(own) {
      const limit = dictionaryFor(own.length);
      const dictionary = tail.last(limit);
      const stored = own.length < WORTHWHILE ? own : deflate(own, dictionary);
      if (stored.length >= own.length) return { stored: own, deflate: false, previous, dictionary: 0 };
      return { stored, deflate: true, previous, dictionary: dictionary.length === 0 ? 0 : limit };
    },
    add(own, position) {
      depth += 1;
      previous = position;
      tail.push(own);
      if (depth < MAX_CHAIN) return;
      depth = 0;
      previous = undefined;
      tail.clear();
    },
  };
}

function dictionaryFor(length: number): number {
  if (length < TINY) return TINY_DICTIONARY;
  return length < SHORT ? SHORT_DICTIONARY : MAX_DICTIONARY;
}

/** The most that zlib looks ahead; its window must hold that as well (deflate.h, MIN_LOOKAHEAD). */
const LOOKAHEAD = 262;
/** zlib's own defaults. */
const LARGEST = { windowBits: 15, memLevel: 8, chunkSize: 16 * 1024 };

/** Making and clearing tables for 32 KiB takes longer than compressing a small text: they are as small as it is. */
function sizesFor(length: number, own: number): typeof LARGEST {
  const windowBits = Math.max(10, Math.ceil(Math.log2(length + LOOKAHEAD)));
  if (windowBits >= 15) return LARGEST;
  return { windowBits, memLevel: 5, chunkSize: Math.max(64, own) };
}

function deflate(own: Buffer, dictionary: Buffer): Buffer {
  const level = own.length > LONG ? 1 : 6;
  const sizes = sizesFor(own.length + dictionary.length, own.length);
  return deflateRawSync(own, dictionary.length === 0 ? { level, ...sizes } : { level, ...sizes, dictionary });
}
