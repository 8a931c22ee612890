/** The time that a word means, from its first to its last millisecond (since 1970, UTC): a day is a day long. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** RFC 3339; without an offset it is the local clock's. */
const STAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?([Zz]|[+-]\d\d:\d\d)?$/;

/**
 * Reads a time: RFC 3339, a date, `today`, `yesterday`, or how long ago (`30m`, `2h`, `7d`). Undefined for anything
 * else, and for dates that no calendar has.
 */
export function parseTime(text: string, now: Date): TimeRange | undefined {
  const word = text.toLowerCase();
  if (word === 'now') return instant(now.getTime());
  if (word === 'today') return day(now.getFullYear(), now.getMonth(), now.getDate());
  if (word === 'yesterday') return day(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const ago = /^(\d{1,6})([smhdw])$/.exec(word);
  if (ago !== null) return instant(now.getTime() - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0));
  return parseStamp(text);
}

function parseStamp(text: string): TimeRange | undefined {
  const found = STAMP.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, date = 0, hours, minutes = 0, seconds = 0] = found
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const zone = found[8];
  // The calendar turns a 31st of April into the 1st of May.
  const shown = new Date(Date.UTC(year, month - 1, date));
  if (shown.getUTCMonth() !== month - 1 || shown.getUTCDate() !== date) return undefined;
  if (hours === undefined) return zone === undefined ? day(year, month - 1, date) : undefined;
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const ms = Math.floor(Number(`0.${found[7] ?? '0'}`) * 1000);
  if (zone === undefined) {
    return instant(new Date(year, month - 1, date, hours, minutes, seconds, ms).getTime());
  }
  return instant(Date.UTC(year, month - 1, date, hours, minutes, seconds, ms) - offsetOf(zone));
}

function offsetOf(zone: string): number {
  const found = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (found === null) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === '-' ? -minutes : minutes) * 60_000;
}

function instant(at: number): TimeRange {
  return { from: at, to: at };
}

/** A day of the local calendar; with a change of the clocks it has 23 or 25 hours. */
function day(year: number, month: number, date: number): TimeRange {
  return { from: new Date(year, month, date).getTime(), to: new Date(year, month, date + 1).getTime() - 1 };
}
