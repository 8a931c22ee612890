import { type Json, tryParse } from './json.ts';

/** The JSON objects that an event stream carries, in order. */
export interface EventStream {
  readonly events: readonly Json[];
  /** Events whose data is no JSON object, `[DONE]` apart. */
  readonly bad: number;
}

/** Reads a text as server-sent events (WHATWG HTML, section 9.2.6). A cut last event is left out. */
export function readEvents(text: string): EventStream {
  const events: Json[] = [];
  let bad = 0;
  const blocks = text.split(/\r?\n\r?\n/);
  const isCut = !/\n\r?\n$/.test(text);
  blocks.forEach((block, index) => {
    const data = block
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(line.charAt(5) === ' ' ? 6 : 5))
      .join('\n');
    if (data === '' || data === '[DONE]') return;
    const value = tryParse(data);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) events.push(value as Json);
    else if (!(isCut && index === blocks.length - 1)) bad += 1;
  });
  return { events, bad };
}

/** Whether a body is an event stream, by its header or, where that says nothing, by its first characters. */
export function isEventStream(contentType: string | undefined, text: string | undefined): boolean {
  if (contentType !== undefined && /event-stream/i.test(contentType)) return true;
  return /^\s{0,8}(?:data|event|id):/.test((text ?? '').slice(0, 32));
}
