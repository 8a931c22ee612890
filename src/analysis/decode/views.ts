import { base64Decoded } from './base64.ts';
import {
  entitiesDecoded,
  percentDecoded,
  plusDecoded,
  quotedPrintableDecoded,
  unescaped,
} from './escapes.ts';
import { joinedEvents } from './events.ts';
import type { View } from './view.ts';

/** Encodings in encodings are followed so deep: JSON in JSON in base64 in a form is four. */
const MAX_DEPTH = 5;
/** All views together hold at most so many units for each unit of the text, plus a floor for small texts. */
const MAX_RATIO = 6;
const FLOOR = 1 << 18;

/**
 * The readings of a text beside the plain one, each with its way back: events joined, escapes resolved, percent
 * and base64 decoded, and all of these within each other. Bounded in depth and in size; `visit` is called for
 * each view as it is made, so that only one chain is in memory.
 */
export function eachView(original: View, contentType: string | undefined, visit: (view: View) => void): void {
  let budget = FLOOR + original.text.length * MAX_RATIO;
  const descend = (view: View, depth: number, steps: readonly Step[]): void => {
    if (depth >= MAX_DEPTH) return;
    for (const step of steps) {
      const next = budget > 0 ? step(view) : undefined;
      if (next === undefined || next.text.length > budget) continue;
      budget -= next.text.length;
      visit(next);
      descend(next, depth + 1, INNER);
    }
  };
  descend(original, 0, [...stepsFor(contentType ?? '', original.text), ...INNER]);
}

type Step = (view: View) => View | undefined;

/** What any text may hold, without being told. */
const INNER: readonly Step[] = [
  unescaped,
  percentDecoded,
  base64Decoded,
  entitiesDecoded,
  (view) => joinedEvents(view),
];

/** What only the content type (or a part's own header) tells. */
function stepsFor(contentType: string, text: string): Step[] {
  const steps: Step[] = [];
  if (/event-stream|ndjson|jsonl|json-seq/i.test(contentType))
    steps.push((view) => joinedEvents(view, contentType));
  if (/x-www-form-urlencoded/i.test(contentType)) steps.push(plusDecoded);
  // mail, and the parts of a multipart body, say it in their heads
  if (/content-transfer-encoding:\s{0,4}quoted-printable/i.test(text.slice(0, 65_536)))
    steps.push(quotedPrintableDecoded);
  return steps;
}
