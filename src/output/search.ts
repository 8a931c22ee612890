import { shortExchangeId } from '../core/ids.ts';
import type { Paint } from './color.ts';
import { type EventsLook, eventsText, type ShownEvent } from './events.ts';
import { printable } from './printable.ts';

/** Where a search found something, with what stands around it. */
export interface Snippet {
  readonly in: 'tools' | 'text' | 'url' | 'host';
  readonly text: string;
  /** The hit in `text`, UTF-16 units; empty where it lies in a masked secret. */
  readonly start: number;
  readonly end: number;
}

/** Hits for people: the event, and below it the words around the hit. */
export function searchText(
  hits: readonly { readonly event: ShownEvent; readonly snippet: Snippet | undefined }[],
  look: EventsLook,
): string {
  const [header, ...lines] = eventsText(
    hits.map(({ event }) => event),
    look,
  ).split('\n');
  if (hits.length === 0) return '';
  const rows = hits.map(({ snippet, event }, i) => {
    const line = lines[i] ?? shortExchangeId(event.id);
    return `${line}\n${snippet === undefined ? '' : `    ${snippetText(snippet, look.paint)}\n`}`;
  });
  return `${header}\n${rows.join('')}`;
}

function snippetText({ text, start, end }: Snippet, paint: Paint): string {
  const [before, hit, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  return `${paint.dim(printable(before))}${paint.bold(printable(hit))}${paint.dim(printable(after))}`;
}
