import { base64Decoded } from './base64.ts';
import {
  entitiesDecoded,
  percentDecoded,
  plusDecoded,
  quotedPrintableDecoded,
  unescaped,
  unescapedWhole,
} from './escapes.ts';
import { joinedEvents } from './events.ts';
import { identity, type View } from './view.ts';

/** Encodings in encodings are followed so deep: JSON in JSON in base64 in a form is four. */
const MAX_DEPTH = 5;
/** All views together hold at most so many units for each unit of the text, plus a floor for small texts. */
const MAX_RATIO = 6;
const FLOOR = 1 << 18;

/**
 * The readings of a text, each with its way back: as it is, events joined, escapes resolved, percent and base64
 * decoded, and all of these within each other. Bounded in depth and in size; `visit` is called for each reading
 * as it is made, so that only one chain is in memory.
 */
export function eachReading(
  text: string,
  contentType: string | undefined,
  visit: (view: View) => void,
): void {
  const original = identity(text);
  let budget = FLOOR + text.length * MAX_RATIO;
  const follow = (view: View | undefined, depth: number, steps: readonly Step[] = INNER): void => {
    if (view === undefined || view.text.length > budget) return;
    budget -= view.text.length;
    visit(view);
    if (depth < MAX_DEPTH) for (const step of steps) follow(step(view), depth + 1);
  };
  // of JSON the unescaped text says all that the escaped one does; reading both would take twice the time
  const whole = isJson(text) ? unescapedWhole(original) : undefined;
  for (const step of stepsFor(contentType ?? '', text)) follow(step(original), 1);
  follow(whole ?? original, 0, ENCODINGS);
}

/** JSON, lines of it, or events with it in them, by the first character. */
function isJson(text: string): boolean {
  return /^\s{0,64}(?:[{[]|(?:data|event|id|retry):)/.test(text.slice(0, 80));
}

type Step = (view: View) => View | undefined;

/** What any text may hold, without being told. */
const ENCODINGS: readonly Step[] = [unescaped, percentDecoded, base64Decoded, entitiesDecoded];
/** Inside other encodings a stream may hide too: frames that carry base64 of JSON (AWS event streams). */
const INNER: readonly Step[] = [...ENCODINGS, (view) => joinedEvents(view)];

/** What only the content type (or a part's own header) tells. */
function stepsFor(contentType: string, text: string): Step[] {
  const steps: Step[] = [];
  steps.push((view) => joinedEvents(view, contentType));
  if (/x-www-form-urlencoded/i.test(contentType)) steps.push(plusDecoded);
  // mail, and the parts of a multipart body, say it in their heads
  if (/content-transfer-encoding:\s{0,4}quoted-printable/i.test(text.slice(0, 65_536)))
    steps.push(quotedPrintableDecoded);
  return steps;
}
