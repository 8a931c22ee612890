import { ulid } from 'ulid';

/** A run's id: a ULID, 26 characters of Crockford base 32 (https://github.com/ulid/spec). */
export type RunId = string;

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Makes the id of a new run. Ids sort by the time they were made, to the millisecond. */
export function newRunId(): RunId {
  return ulid();
}

/** Whether a text has the shape of a run id. */
export function isRunId(text: string): text is RunId {
  return ULID.test(text);
}

/** The last six characters of a run id, as shown to people. */
export function shortRunId(run: RunId): string {
  return run.slice(-6);
}

/** `K3F9QZ:42`, as people see and type the id of an exchange. */
export function shortExchangeId(id: string): string {
  const [run = '', seq = ''] = id.split(':');
  return `${shortRunId(run)}:${seq}`;
}

/** `<RUN>:<seq>`, the id of an exchange or a tunnel: the run and the seq of its first record. */
export function exchangeId(run: RunId, seq: number): string {
  return `${run}:${seq}`;
}
