/** Below this length the last four would give away too much of the value. */
const TAIL_FROM = 16;

/**
 * The form in which a value may be shown: its public prefix, `…`, the last four where the value is long
 * enough, and its length in UTF-16 units: `sk-ant-…9f3c (108)`. Never more than a quarter of the value.
 */
export function mask(value: string, show: number): string {
  const room = Math.floor(value.length / 4);
  const head = printable(
    value.slice(0, Math.min(show, Math.max(room, value.length >= TAIL_FROM ? show : 0))),
  );
  const tail = value.length >= TAIL_FROM ? printable(value.slice(-4)) : '';
  return `${head}…${tail} (${value.length})`;
}

/** Masks go to terminals and into one-line records: nothing that moves a cursor or ends a line. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
