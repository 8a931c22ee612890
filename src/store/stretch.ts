import type { BodyPart } from '../core/body.ts';
import { damaged } from './pack-damage.ts';
import { contentLength, type FrameHead } from './pack-format.ts';

/** A stretch of content still to be given: a frame's own bytes, or content that may lie in several frames. */
export interface Stretch {
  readonly kind: 'own' | 'content';
  readonly frame: number;
  readonly start: number;
  readonly length: number;
}

/** The stretch that a part of a record's body names. */
export function toStretch([frame, start, length]: BodyPart): Stretch {
  return { kind: 'content', frame, start, length };
}

/** Takes the stretches off the top that are the same again; gives how many. */
export function takeEqual(left: Stretch[], { frame, start, length }: Stretch): number {
  let times = 0;
  for (;;) {
    const top = left.at(-1);
    if (top?.kind !== 'content' || top.frame !== frame || top.start !== start || top.length !== length) {
      return times;
    }
    left.pop();
    times += 1;
  }
}

/** Takes a stretch of a frame's content apart into own bytes and stretches of earlier frames. */
export function split(stretch: Stretch, head: FrameHead): Stretch[] {
  const { frame } = stretch;
  const end = stretch.start + stretch.length;
  if (end > contentLength(head)) throw damaged(frame, 'it holds less than a record says');
  const found: Stretch[] = [];
  let at = 0;
  let ownAt = 0;
  const take = (kind: Stretch['kind'], from: number, start: number, length: number): void => {
    const first = Math.max(stretch.start, at);
    const last = Math.min(end, at + length);
    if (first < last) found.push({ kind, frame: from, start: start + first - at, length: last - first });
    at += length;
  };
  for (const ref of head.refs) {
    if (at >= end) return found;
    take('own', frame, ownAt, ref.ownBefore);
    ownAt += ref.ownBefore;
    take('content', ref.frame, ref.start, ref.length);
  }
  take('own', frame, ownAt, head.ownLength - ownAt);
  return found;
}
