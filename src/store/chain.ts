import { hash } from 'node:crypto';

/** `prev` of a file's first record. */
export const FIRST_PREV = '0'.repeat(64);

/** The hash that the next record's `prev` carries: SHA-256, in hex, of a line's bytes without its LF. */
export function lineHash(line: string | Buffer): string {
  return hash('sha256', line, 'hex');
}

/** What every record of a chained file begins with. */
export interface Envelope {
  readonly seq: number;
  readonly type: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly prev: string;
}

/**
 * One line, without its LF. `fields` is the rest of the record as the inside of a JSON object, or empty: the
 * writer's hot path joins text instead of building objects twice.
 */
export function formatLine(envelope: Envelope, fields: string): string {
  const { seq, type, at, prev } = envelope;
  const rest = fields === '' ? '' : `,${fields}`;
  return `{"v":1,"seq":${seq},"type":${JSON.stringify(type)},"at":"${at}","prev":"${prev}"${rest}}`;
}

/** The inside of an object's JSON: what `formatLine` takes. */
export function innerJson(fields: object): string {
  return JSON.stringify(fields).slice(1, -1);
}
