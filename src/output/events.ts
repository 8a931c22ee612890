import { shortExchangeId } from '../core/ids.ts';
import type { Severity } from '../core/rules.ts';
import type { Paint } from './color.ts';
import { type Cell, fitted } from './fit.ts';
import { printable } from './printable.ts';
import { shortSize } from './size.ts';
import { localTime, shortDuration } from './time.ts';

/** The fields of an event that a list shows. */
export interface ShownEvent {
  readonly id: string;
  readonly kind: 'exchange' | 'tunnel' | 'refused';
  readonly at: string;
  readonly method?: string;
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly status?: number;
  readonly outcome?: string;
  readonly decision?: { readonly verdict: string; readonly reason?: string };
  readonly reason?: string;
  readonly count?: number;
  readonly requestBytes?: number;
  readonly responseBytes?: number;
  readonly timing?: { readonly totalMs?: number };
  readonly flags: readonly {
    readonly code: string;
    readonly severity: Severity;
    readonly dismissed: boolean;
  }[];
}

export interface EventsLook {
  readonly paint: Paint;
  readonly width: number | undefined;
  /** Days that are today's are left out. */
  readonly now: Date;
}

const HEADER = ['ID', 'TIME', 'METHOD', 'RESULT', 'URL', 'SENT', 'GOT', 'TOOK', 'FLAGS'];
const URL_COLUMN = 4;

/** Events for people, one a line, as wide as the terminal. Empty for none. */
export function eventsText(events: readonly ShownEvent[], look: EventsLook): string {
  if (events.length === 0) return '';
  const header = HEADER.map((text): Cell => ({ text, dress: look.paint.bold }));
  const shortTime = events.every(({ at }) => isSameDay(new Date(at), look.now));
  const rows = events.map((event) => eventCells(event, look.paint, shortTime));
  return fitted([header, ...rows], { width: look.width, flexible: URL_COLUMN });
}

/** One event as it is followed: a line that stands for itself. */
export function eventLine(event: ShownEvent, { paint, width }: EventsLook): string {
  const cells = eventCells(event, paint, true);
  const least = [9, 8, 7, 3];
  const padded = cells.map((cell, i) => ({ ...cell, text: cell.text.padEnd(least[i] ?? 0) }));
  return fitted([padded], { width, flexible: URL_COLUMN });
}

/** The flags of an event whose line was printed before. */
export function flagsLine(event: ShownEvent, { paint, width }: EventsLook): string {
  const flags = flagsCell(event.flags, paint);
  return fitted(
    [[{ text: shortExchangeId(event.id).padEnd(9) }, { text: 'flagged', dress: paint.dim }, flags]],
    {
      width,
      flexible: 2,
    },
  );
}

/** The codes of flags that were not dismissed, the worst first, each once. */
export function flagsCell(flags: ShownEvent['flags'], paint: Paint): Cell {
  const open = flags.filter(({ dismissed }) => !dismissed);
  const text = [...new Set(open.map(({ code }) => printable(code)))].join(' ');
  return { text, dress: severityDress(open[0]?.severity, paint) };
}

/** How a severity is dressed. */
export function severityDress(
  severity: Severity | undefined,
  paint: Paint,
): ((text: string) => string) | undefined {
  if (severity === 'high') return paint.red;
  return severity === 'medium' ? paint.yellow : undefined;
}

/** What came of an event, in a word or two: `200`, `403 denylisted`, `timeout`, `open`. */
export function resultText(event: ShownEvent): string {
  const { kind, status, outcome, decision, reason } = event;
  if (kind === 'refused') return `refused ${printable(reason ?? '')}`.trim();
  if (decision?.verdict === 'deny') return `${status ?? 'denied'} ${printable(decision.reason ?? '')}`.trim();
  const end = outcome === undefined ? 'open' : outcome === 'complete' ? '' : printable(outcome);
  if (kind === 'tunnel') return `tunnel ${end}`.trim();
  return `${status ?? ''} ${end}`.trim();
}

function eventCells(event: ShownEvent, paint: Paint, shortTime: boolean): Cell[] {
  const { id, at, method, protocol, requestBytes, responseBytes, timing, flags } = event;
  const time = localTime(at);
  const isBad = event.kind === 'refused' || event.decision?.verdict === 'deny';
  return [
    { text: shortExchangeId(id) },
    { text: shortTime ? time.slice(11) : time, dress: paint.dim },
    { text: printable(method ?? protocol ?? '') },
    { text: resultText(event), dress: isBad ? paint.yellow : undefined },
    { text: placeText(event) },
    { text: requestBytes === undefined ? '' : shortSize(requestBytes), align: 'right' },
    { text: responseBytes === undefined ? '' : shortSize(responseBytes), align: 'right' },
    { text: timing?.totalMs === undefined ? '' : shortDuration(timing.totalMs), align: 'right' },
    flagsCell(flags, paint),
  ];
}

/** The URL, or where it was going to; how often, where more than once. */
export function placeText({ url, host, port, count }: ShownEvent): string {
  const name = host?.includes(':') ? `[${host}]` : (host ?? '');
  const place = url ?? (port === undefined ? name : `${name}:${port}`);
  return `${printable(place)}${count === undefined || count < 2 ? '' : ` (${count}x)`}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
