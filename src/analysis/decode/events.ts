import { jsonLeaves, Paths, stringEnd } from './leaves.ts';
import { type View, ViewBuilder } from './view.ts';

/** A range of a text. */
type Range = readonly [start: number, end: number];

interface Events {
  /** One message a range: the data of an SSE event, a line of NDJSON, an element of a top-level array. */
  readonly view: View;
  readonly ranges: readonly Range[];
}

/**
 * What a stream says when its pieces are put together: the strings at the same place of consecutive messages,
 * joined (a secret that a model writes comes a few characters an event). Works for any provider, because the
 * place is found by path and index, not by name. Undefined where the text is no stream of messages.
 */
export function joinedEvents(view: View, contentType = ''): View | undefined {
  const events = splitEvents(view, contentType);
  if (events === undefined || events.ranges.length < 2) return undefined;
  const { text } = events.view;
  const groups = new Map<string, Range[]>();
  const paths = new Paths();
  for (const [start, end] of events.ranges) {
    const leaves = jsonLeaves(text, start, end, paths) ?? [{ key: '', start, end }];
    for (const leaf of leaves) {
      const group = groups.get(leaf.key);
      if (group === undefined) groups.set(leaf.key, [[leaf.start, leaf.end]]);
      else group.push([leaf.start, leaf.end]);
    }
  }
  const builder = new ViewBuilder(events.view);
  for (const group of groups.values()) {
    if (group.length < 2 || isConstant(text, group)) continue;
    builder.gap(group[0]?.[0] ?? 0);
    for (const [start, end] of group) builder.copy(start, end);
  }
  return builder.isEmpty ? undefined : builder.build();
}

/** Ids and types that every event repeats say nothing new when joined. */
function isConstant(text: string, group: readonly Range[]): boolean {
  const [first] = group;
  if (first === undefined) return true;
  const value = text.slice(...first);
  // a model may well write `aaaa` one letter an event, but no id is that short
  return (
    value.length > 2 &&
    group.every(([start, end]) => end - start === value.length && text.startsWith(value, start))
  );
}

function splitEvents(view: View, contentType: string): Events | undefined {
  const { text } = view;
  if (/event-stream/i.test(contentType) || /^\s{0,8}(?:data|event|id|retry|):/.test(text.slice(0, 64))) {
    return sseEvents(view);
  }
  if (/^\s{0,64}\[\s{0,64}\{/.test(text.slice(0, 160))) return { view, ranges: elements(text) };
  if (/ndjson|jsonl|json-seq|json-lines/i.test(contentType) || looksLikeLines(text))
    return { view, ranges: lines(text) };
  return undefined;
}

/** Whether the first two lines are a JSON value each; a view's gap, with its NUL, may stand between them. */
function looksLikeLines(text: string): boolean {
  const open = /[{[]/y;
  let at = 0;
  for (let found = 0; found < 2; found++) {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
    open.lastIndex = at;
    const stop = text.indexOf('\n', at);
    const end = stop < 0 ? text.length : stop;
    if (!open.test(text) || !/[}\]]\s{0,4}$/.test(text.slice(Math.max(at, end - 6), end))) return false;
    at = end;
  }
  return true;
}

/** The data of each event, lines of one event joined by LF (WHATWG HTML, section 9.2.6). */
function sseEvents(view: View): Events {
  const { text } = view;
  const builder = new ViewBuilder(view);
  const ranges: Range[] = [];
  let length = 0;
  let eventStart = 0;
  const put = (from: number, to: number) => {
    builder.copy(from, to);
    length += to - from;
  };
  for (const [start, end] of lines(text)) {
    if (text.startsWith('data:', start)) {
      if (length > eventStart) {
        builder.put('\n', end, end);
        length++;
      }
      put(text.charAt(start + 5) === ' ' ? start + 6 : start + 5, end);
    } else if (start === end && length > eventStart) {
      ranges.push([eventStart, length]);
      eventStart = length;
    }
  }
  if (length > eventStart) ranges.push([eventStart, length]);
  return { view: builder.build(), ranges };
}

/** Lines without their ends (LF or CRLF); an empty line is an empty range. */
function lines(text: string): Range[] {
  const out: Range[] = [];
  let start = 0;
  while (start < text.length) {
    const stop = text.indexOf('\n', start);
    const end = stop < 0 ? text.length : stop;
    out.push([start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end]);
    start = end + 1;
  }
  return out;
}

/** The elements of a top-level array, by counting brackets outside strings. */
function elements(text: string): Range[] {
  const out: Range[] = [];
  const token = /["{}[\]]/g;
  let depth = 0;
  let start = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const char = found[0];
    if (char === '"') token.lastIndex = stringEnd(text, found.index + 1, text.length) + 1;
    else if (char === '{' || char === '[') {
      if (depth === 1) start = found.index;
      depth++;
    } else {
      depth--;
      if (depth === 1) out.push([start, found.index + 1]);
      if (depth <= 0) break;
    }
  }
  return out;
}
