import { shortRunId } from '../core/ids.ts';
import type { Paint } from './color.ts';
import { type Cell, fitted } from './fit.ts';
import { printable } from './printable.ts';
import { shortSize } from './size.ts';
import { shortDuration } from './time.ts';

/** What `gate stats` counts of a group. */
export interface ShownCounts {
  readonly key?: string | null;
  readonly exchanges: number;
  readonly tunnels: number;
  readonly refused: number;
  readonly blocked: number;
  readonly flags: number;
  readonly highFlags: number;
  readonly bytesSent: number;
  readonly bytesGot: number;
  readonly llm: number;
  readonly tokens: { readonly input: number; readonly output: number; readonly cacheRead: number };
  readonly costUsd: number | null;
  readonly unpriced: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

const NUMBERS = [
  ...['EXCHANGES', 'TUNNELS', 'REFUSED', 'BLOCKED', 'FLAGS', 'HIGH', 'SENT', 'GOT', 'CALLS'],
  ...['TOKENS IN', 'CACHED', 'OUT', 'COST', 'P50', 'P95'],
];

/** The groups for people, and all together in the last line. */
export function statsText(
  by: string,
  { total, groups }: { readonly total: ShownCounts; readonly groups: readonly ShownCounts[] },
  look: { readonly paint: Paint; readonly width: number | undefined },
): string {
  const header = [by.toUpperCase(), ...NUMBERS].map(
    (text, i): Cell => ({ text, dress: look.paint.bold, ...(i === 0 ? {} : { align: 'right' }) }),
  );
  const shown = (key: string): string => (by === 'run' ? shortRunId(key) : printable(key));
  const rows = groups.map(({ key, ...counts }) => cells(key == null ? '(none)' : shown(key), counts));
  return fitted([header, ...rows, cells('all', total)], { width: look.width, flexible: 0 });
}

function cells(name: string, counts: ShownCounts): Cell[] {
  const time = (ms: number | null): string => (ms === null ? '-' : shortDuration(ms));
  const numbers = [
    ...[counts.exchanges, counts.tunnels, counts.refused, counts.blocked, counts.flags, counts.highFlags].map(
      String,
    ),
    shortSize(counts.bytesSent),
    shortSize(counts.bytesGot),
    ...[counts.llm, counts.tokens.input, counts.tokens.cacheRead, counts.tokens.output].map(String),
    costText(counts),
    time(counts.p50Ms),
    time(counts.p95Ms),
  ];
  return [{ text: name }, ...numbers.map((text): Cell => ({ text, align: 'right' }))];
}

/** What is not known is never 0: `$1.20 + ?` has calls without a price in it. */
function costText({ costUsd, unpriced }: ShownCounts): string {
  if (costUsd === null) return unpriced > 0 ? '?' : '-';
  return `$${costUsd.toFixed(2)}${unpriced > 0 ? ' + ?' : ''}`;
}
