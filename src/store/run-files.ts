import { FIRST_PREV, formatLine, lineHash } from './chain.ts';
import { type BodyMeta, createPackWriter, type OpenBody } from './pack-writer.ts';
import type { RunHead } from './run-head.ts';

/** A body that goes with a record: whole, or one that was opened before and ends with this record. */
export type BodyInput =
  | { readonly kind: 'whole'; readonly meta: BodyMeta; readonly bytes: Buffer }
  | { readonly kind: 'open'; readonly stream: number; readonly incomplete?: boolean };

/** Bytes that must be appended to the two files: the pack first, so that no line names bytes that are not there. */
export interface Appends {
  readonly pack: readonly Buffer[];
  readonly ledger: string;
}

/** A record's envelope, as far as the chain does not give it. */
export interface RecordHead {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
}

/** One run's records and bodies, turned into bytes at once: nothing of what is given is kept. Does no input or output. */
export interface RunFiles {
  /** Adds a record; `fields` is the inside of its JSON object, without envelope and bodies. */
  record(head: RecordHead, fields: string, bodies: Readonly<Record<string, BodyInput>>): void;
  open(stream: number, meta: BodyMeta): void;
  data(stream: number, bytes: Buffer): void;
  /** What came since the last call, and is to be appended. */
  take(): Appends;
  /** About how many bytes that is. */
  readonly pending: number;
  head(): RunHead;
}

/** Makes the files of a new run, both empty. */
export function createRunFiles(): RunFiles {
  const pack = createPackWriter();
  const open = new Map<number, OpenBody>();
  let prev = FIRST_PREV;
  let records = 0;
  let ledger = '';
  let taken = 0;

  function streamOf(stream: number): OpenBody {
    const body = open.get(stream);
    if (body === undefined) throw new Error(`no open body ${stream}`);
    return body;
  }

  function bodyJson(input: BodyInput): string {
    if (input.kind === 'whole') return JSON.stringify(pack.whole(input.meta, input.bytes));
    const body = streamOf(input.stream).finish();
    open.delete(input.stream);
    return JSON.stringify(body !== null && input.incomplete === true ? { ...body, incomplete: true } : body);
  }

  return {
    record(head, fields, bodies) {
      if (head.seq !== records) throw new Error(`record ${head.seq} where ${records} was due`);
      let rest = fields;
      for (const [name, input] of Object.entries(bodies)) {
        rest += `${rest === '' ? '' : ','}${JSON.stringify(name)}:${bodyJson(input)}`;
      }
      const line = formatLine({ seq: head.seq, type: head.type, at: head.at, prev }, rest);
      prev = lineHash(line);
      records += 1;
      ledger += `${line}\n`;
    },
    open(stream, meta) {
      open.set(stream, pack.open(meta));
    },
    data(stream, bytes) {
      streamOf(stream).add(bytes);
    },
    take() {
      const appends = { pack: pack.take(), ledger };
      ledger = '';
      taken = pack.position;
      return appends;
    },
    get pending() {
      return pack.position - taken + ledger.length;
    },
    head: () => ({ records, head: prev, packBytes: pack.position }),
  };
}
