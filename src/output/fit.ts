import { columnWidths } from './table.ts';

/** A cell of a line: its text, printable already, and how it is dressed. */
export interface Cell {
  readonly text: string;
  readonly dress?: ((text: string) => string) | undefined;
  readonly align?: 'right';
}

export interface FitOptions {
  /** Columns of the terminal; undefined where the lines may be as long as they are. */
  readonly width: number | undefined;
  /** The column that gives way, down to `least`. */
  readonly flexible: number;
  readonly least?: number;
}

const GAP = '  ';

/**
 * Lays out rows, columns two spaces apart, and makes them fit: the flexible column is cut first, then the end of
 * the line. Widths count UTF-16 units.
 */
export function fitted(rows: readonly (readonly Cell[])[], options: FitOptions): string {
  const widths = fittingWidths(rows, options);
  return rows.map((row) => `${line(row, widths, options.width)}\n`).join('');
}

/** Cuts a text to a width, with `…` where something is missing. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function fittingWidths(
  rows: readonly (readonly Cell[])[],
  { width, flexible, least = 20 }: FitOptions,
): number[] {
  const widths = columnWidths(rows.map((row) => row.map(({ text }) => text)));
  if (width === undefined) return widths;
  const used = widths.filter((each) => each > 0);
  const excess = used.reduce((sum, each) => sum + each, 0) + GAP.length * (used.length - 1) - width;
  const wanted = widths[flexible] ?? 0;
  if (excess > 0) widths[flexible] = Math.max(Math.min(wanted, least), wanted - excess);
  return widths;
}

function line(row: readonly Cell[], widths: readonly number[], width: number | undefined): string {
  let left = width ?? Number.POSITIVE_INFINITY;
  const parts: string[] = [];
  const last = row.findLastIndex((cell) => cell.text !== '');
  for (const [column, cell] of row.entries()) {
    const room = widths[column] ?? 0;
    if (room === 0 || column > last) continue;
    const gap = parts.length === 0 ? '' : GAP;
    const text = cut(cut(cell.text, room), Math.max(0, left - gap.length));
    const padding =
      column === last && cell.align !== 'right' ? '' : ' '.repeat(Math.max(0, room - text.length));
    const dressed = cell.dress === undefined ? text : cell.dress(text);
    parts.push(gap + (cell.align === 'right' ? padding + dressed : dressed + padding));
    left -= gap.length + Math.max(text.length, column === last ? text.length : room);
    if (left <= GAP.length) break;
  }
  return parts.join('').trimEnd();
}
