import type { AnyRecord } from '../ledger-reader.ts';

// Ledger lines are input from outside: what has another type than it should counts as absent.

const MAX_COUNT = 2 ** 34;

/** A text; null where there is none. */
export function textOf(from: AnyRecord, field: string): string | null {
  const value = from[field];
  return typeof value === 'string' ? value : null;
}

/** A whole number that is exact; null where there is none. */
export function intOf(from: AnyRecord, field: string): number | null {
  const value = from[field];
  return Number.isSafeInteger(value) ? Number(value) : null;
}

/** A number of things, within bounds that let any number of records be summed up. */
export function countOf(from: AnyRecord, field: string): number | null {
  const value = intOf(from, field);
  return value === null ? null : Math.min(Math.max(value, 0), MAX_COUNT);
}

/** A number; null where there is none. */
export function numberOf(from: AnyRecord, field: string): number | null {
  const value = from[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** An object that may be asked for its fields; an empty one where there is none. */
export function objectOf(from: AnyRecord, field: string): AnyRecord {
  return asObject(from[field]) ?? {};
}

/** The objects of a list; what else stands in it is left out. */
export function objectsOf(from: AnyRecord, field: string): AnyRecord[] {
  const value = from[field];
  if (!Array.isArray(value)) return [];
  return value.map(asObject).filter((each) => each !== undefined);
}

/** The value, where it is an object and no list. */
export function asObject(value: unknown): AnyRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as AnyRecord)
    : undefined;
}

/** A time of a record in milliseconds since 1970; 0 where it cannot be read. */
export function timeOf(record: AnyRecord): number {
  const at = Date.parse(textOf(record, 'at') ?? '');
  return Number.isNaN(at) ? 0 : at;
}

/** The seq in an id `<run>:<seq>` of this run; undefined for any other text. */
export function seqOf(run: string, id: unknown): number | undefined {
  if (typeof id !== 'string' || !id.startsWith(`${run}:`)) return undefined;
  const digits = id.slice(run.length + 1);
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/** First message of an analysis, or -1 where it is about the whole exchange. */
export function firstMessage(analysis: AnyRecord): number {
  const messages = analysis['messages'];
  const first: unknown = Array.isArray(messages) ? messages[0] : undefined;
  return Number.isSafeInteger(first) && Number(first) >= 0 ? Number(first) : -1;
}
