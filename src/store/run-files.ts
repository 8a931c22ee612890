import { FIRST_PREV, formatLine, lineHash } from './chain.ts';
import { createPackWriter, type OpenBody } from './pack-writer.ts';
import type { BodySource, Op, RecordOp, RunHead } from './worker-protocol.ts';

/** Bytes that must be appended to the two files: the pack first, so that no line names bytes that are not there. */
export interface Appends {
  readonly pack: readonly Buffer[];
  readonly ledger: string;
}

/** One run's records and bodies, turned into bytes. Does no input or output. */
export interface RunFiles {
  apply(ops: readonly Op[], bytes: Buffer): Appends;
  head(): RunHead;
}

/** Makes the files of a new run, both empty. */
export function createRunFiles(): RunFiles {
  const pack = createPackWriter();
  const open = new Map<number, OpenBody>();
  let prev = FIRST_PREV;
  let records = 0;

  function streamOf(stream: number): OpenBody {
    const body = open.get(stream);
    if (body === undefined) throw new Error(`no open body ${stream}`);
    return body;
  }

  function bodyJson(source: BodySource, bytes: Buffer): string {
    if (source.kind === 'whole') {
      return JSON.stringify(pack.whole(source.meta, bytes.subarray(source.at, source.at + source.length)));
    }
    const body = streamOf(source.stream).finish();
    open.delete(source.stream);
    return JSON.stringify(body !== null && source.incomplete ? { ...body, incomplete: true } : body);
  }

  function line(op: RecordOp, bytes: Buffer): string {
    if (op.seq !== records) throw new Error(`record ${op.seq} where ${records} was due`);
    const bodies = op.bodies.map(([name, source]) => `${JSON.stringify(name)}:${bodyJson(source, bytes)}`);
    const text = formatLine({ ...op, prev }, [op.fields, ...bodies].filter((part) => part !== '').join(','));
    prev = lineHash(text);
    records += 1;
    return text;
  }

  return {
    apply(ops, bytes) {
      let ledger = '';
      for (const op of ops) {
        if (op.op === 'record') ledger += `${line(op, bytes)}\n`;
        else if (op.op === 'open') open.set(op.stream, pack.open(op.meta));
        else streamOf(op.stream).add(bytes.subarray(op.at, op.at + op.length));
      }
      return { pack: pack.take(), ledger };
    },
    head: () => ({ records, head: prev, packBytes: pack.position }),
  };
}
