import { open } from 'node:fs/promises';
import type { BodyPart } from '../core/body.ts';
import {
  contentLength,
  decodeFrame,
  FRAME_FIXED_BYTES,
  type FrameHead,
  findFrameMagic,
  frameLength,
  MAX_FRAME_BYTES,
  PACK_HEADER_BYTES,
  type Side,
} from './pack-format.ts';

/** What stands in a pack, from its beginning to its end. */
export type PackItem =
  | { readonly kind: 'frame'; readonly position: number; readonly length: number; readonly head: FrameHead }
  /** Bytes that are no frame; at the end of the file they are the torn tail of a killed run. */
  | { readonly kind: 'damage'; readonly position: number; readonly length: number; readonly atEnd: boolean };

const READ = 1024 * 1024;

/** Goes through a pack without its ledger. After damage it goes on at the next frame that is whole. */
export async function* scanPack(file: string): AsyncGenerator<PackItem, void, undefined> {
  const handle = await open(file, 'r');
  let window = Buffer.alloc(0);
  let at = PACK_HEADER_BYTES;
  let isEnd = false;

  /** Has at least `wanted` bytes from `at` in the window, unless the file ends before. */
  async function fill(wanted: number): Promise<void> {
    while (window.length < wanted && !isEnd) {
      const more = Buffer.allocUnsafe(Math.max(READ, wanted - window.length));
      const { bytesRead } = await handle.read(more, 0, more.length, at + window.length);
      if (bytesRead === 0) isEnd = true;
      window = Buffer.concat([window, more.subarray(0, bytesRead)]);
    }
  }

  function skip(length: number): void {
    window = window.subarray(length);
    at += length;
  }

  async function frameHere(): Promise<{ head: FrameHead; length: number } | undefined> {
    await fill(FRAME_FIXED_BYTES);
    const length = frameLength(window);
    if (length === undefined) return undefined;
    await fill(length);
    if (window.length < length) return undefined;
    const head = decodeFrame(window.subarray(0, length), at)?.head;
    return head === undefined ? undefined : { head, length };
  }

  try {
    let damageAt: number | undefined;
    for (;;) {
      await fill(FRAME_FIXED_BYTES);
      if (window.length === 0) break;
      const frame = await frameHere();
      if (frame === undefined) {
        damageAt ??= at;
        await fill(MAX_FRAME_BYTES);
        const next = findFrameMagic(window, 1);
        skip(next === -1 ? window.length : next);
        continue;
      }
      if (damageAt !== undefined)
        yield { kind: 'damage', position: damageAt, length: at - damageAt, atEnd: false };
      damageAt = undefined;
      yield { kind: 'frame', position: at, ...frame };
      skip(frame.length);
    }
    if (damageAt !== undefined)
      yield { kind: 'damage', position: damageAt, length: at - damageAt, atEnd: true };
  } finally {
    await handle.close();
  }
}

/** A body of a killed run that no record names, put together from its frames. */
export interface RecoveredBody {
  readonly exchange: number;
  readonly side: Side;
  /** Without gap from the beginning: what comes after a lost frame is left out. */
  readonly bytes: number;
  readonly parts: readonly BodyPart[];
}

/**
 * The streamed bodies of one exchange as far as their frames reach, for a run that was killed before their `end`.
 * Only the `request` and `response` sides stream; a side of which nothing is found is absent.
 */
export async function recoverBodies(file: string, exchange: number): Promise<RecoveredBody[]> {
  const found = new Map<Side, { bytes: number; parts: BodyPart[] }>();
  for await (const item of scanPack(file)) {
    if (item.kind !== 'frame' || item.head.exchange !== exchange || item.head.summary) continue;
    const body = found.get(item.head.side) ?? { bytes: 0, parts: [] };
    found.set(item.head.side, body);
    if (item.head.offset !== body.bytes) continue;
    const length = contentLength(item.head);
    body.parts.push([item.position, 0, length]);
    body.bytes += length;
  }
  return [...found].map(([side, body]) => ({ exchange, side, ...body }));
}
