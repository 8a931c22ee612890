import type { Decision } from '../core/decision.ts';
import { LIST_NAMES, type ListName, parsePattern } from './pattern.ts';

/** How often a pattern decided, and when it did last (RFC 3339; absent where it never did). */
export interface Hits {
  readonly hits: number;
  readonly lastHit?: string;
}

/** A pattern that decided in a recorded run and is on no list now. */
export interface StrayHits extends Hits {
  readonly list: ListName;
  readonly pattern: string;
}

/** Counts which patterns decided. Spellings that mean the same count as one. */
export interface HitCounter {
  add(decision: Decision, at: string): void;
  of(list: ListName, pattern: string): Hits;
  /** Those that nobody asked for with `of`, most hits first. */
  others(): StrayHits[];
}

/** Makes a counter at zero. */
export function createHitCounter(): HitCounter {
  const counts = new Map<string, { list: ListName; pattern: string; hits: number; lastHit: string }>();
  const asked = new Set<string>();
  return {
    add({ list, pattern }, at) {
      if (list === undefined || pattern === undefined) return;
      const key = keyOf(list, pattern);
      const found = counts.get(key);
      if (found === undefined) {
        counts.set(key, { list, pattern, hits: 1, lastHit: at });
      } else {
        found.hits += 1;
        if (at > found.lastHit) found.lastHit = at;
      }
    },
    of(list, pattern) {
      const key = keyOf(list, pattern);
      asked.add(key);
      const found = counts.get(key);
      return found === undefined ? { hits: 0 } : { hits: found.hits, lastHit: found.lastHit };
    },
    others() {
      const rest = [...counts].filter(([key]) => !asked.has(key)).map(([, count]) => count);
      const rank = (list: ListName) => LIST_NAMES.indexOf(list);
      return rest.sort((a, b) => rank(a.list) - rank(b.list) || b.hits - a.hits);
    },
  };
}

function keyOf(list: ListName, text: string): string {
  const result = parsePattern(text);
  return `${list} ${'pattern' in result ? result.pattern.key : text}`;
}
