import type { Kind, Place } from '../types.ts';

/**
 * A number that only the word before it tells apart: the word, at most 30 characters without digits or line
 * ends, the value. `word` and `value` are sources of bounded patterns.
 */
export function inContext(
  kind: string,
  anchors: readonly string[],
  word: string,
  value: string,
  check?: (value: string, place: Place) => boolean,
): Kind {
  return {
    kind,
    class: 'pii',
    rank: 2,
    anchors,
    left: 'alnum',
    pattern: new RegExp(`${word}[^0-9\\n;{}]{0,30}?(?<![0-9A-Za-z_.])(${value})`, 'i'),
    show: 0,
    ...(check === undefined ? {} : { check }),
  };
}
