import { deflateRawSync } from 'node:zlib';
import { MAX_CHAIN, MAX_DICTIONARY } from './pack-format.ts';
import { createTail } from './tail.ts';

/** How own bytes are stored, and what a reader needs to have them back. */
export interface Packed {
  readonly stored: Buffer;
  readonly deflate: boolean;
  readonly previous?: number;
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
/** Text longer than this is compressed fast rather than well; others wait behind it. */
const LONG = 64 * 1024;

/** Makes an empty chain. It begins anew after `MAX_CHAIN` frames, so that few frames are needed to read one. */
export function createDictionaryChain(): DictionaryChain {
  const tail = createTail();
  let previous: number | undefined;
  let depth = 0;
  return {
    pack(own) {
      const limit = own.length < SHORT ? SHORT_DICTIONARY : MAX_DICTIONARY;
      const dictionary = tail.last(limit);
      const deflated = own.length < WORTHWHILE ? own : deflate(own, dictionary);
      const back = previous === undefined ? {} : { previous };
      if (deflated.length >= own.length) return { stored: own, deflate: false, ...back, dictionary: 0 };
      return { stored: deflated, deflate: true, ...back, dictionary: dictionary.length === 0 ? 0 : limit };
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

function deflate(own: Buffer, dictionary: Buffer): Buffer {
  const level = own.length > LONG ? 1 : 6;
  return deflateRawSync(own, dictionary.length === 0 ? { level } : { level, dictionary });
}
