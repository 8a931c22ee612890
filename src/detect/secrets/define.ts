import { isTokenBody } from '../checks/text.ts';
import type { Kind } from '../types.ts';

export interface TokenOptions extends Partial<Omit<Kind, 'kind' | 'pattern' | 'anchors' | 'class'>> {
  /** More anchors than one for the same kind. */
  readonly anchors?: readonly string[];
}

/**
 * A secret with a prefix of its own. Unless said otherwise its body must look random (`isTokenBody`), no token
 * character stands before it, and as much of it as the prefix says may be shown.
 */
export function token(kind: string, prefix: string, pattern: RegExp, options: TokenOptions = {}): Kind {
  const { anchors = [prefix.toLowerCase()], ...rest } = options;
  return {
    kind,
    class: 'secret',
    rank: 1,
    anchors,
    pattern,
    show: prefix.length,
    check: (value) => isTokenBody(value.slice(prefix.length)),
    ...rest,
  };
}

/** Between a name and its value: quotes, spaces, one of `: = => ->`, brackets, in at most 12 characters. */
const GAP = String.raw`["'\x60\])\\]{0,4}[ \t]{0,4}(?:=>|->|:=|[:=,]|\bis\b)[ \t]{0,4}["'\x60\\]{0,3}`;

/**
 * A secret without a prefix, told by a name before it. `name` and `value` are sources of bounded patterns;
 * whatever stands between the anchor and the name is part of `name`.
 */
export function named(
  kind: string,
  anchors: readonly string[],
  name: string,
  value: string,
  options: TokenOptions = {},
): Kind {
  return {
    kind,
    class: 'secret',
    rank: 2,
    left: 'alnum',
    pattern: new RegExp(`${name}${GAP}(${value})`, 'i'),
    show: 0,
    check: isTokenBody,
    ...options,
    anchors,
  };
}
