import type { RunId } from '../../core/ids.ts';
import { lineHash } from '../chain.ts';
import { type AnyRecord, readLedger } from '../ledger-reader.ts';
import { eventOf, ownSeq } from './apply.ts';
import { hasBytes } from './body-text.ts';
import { firstMessage, intOf, textOf } from './fields.ts';
import { eventRow, MAX_RECORDS } from './schema.ts';
import { BODY_LIMIT } from './words.ts';

/** How far a run is folded. */
export interface Position {
  /** Of the run in `runs`. */
  readonly row: number;
  readonly folded: number;
  readonly lines: number;
  readonly head: string;
}

/** How much is folded in one transaction. */
export interface BatchLimits {
  /** Of ledger lines, in bytes. */
  readonly bytes: number;
  /** Of texts, in bytes of their bodies. */
  readonly text: number;
}

export interface BatchRecord {
  readonly record: AnyRecord;
  readonly at: number;
  readonly index: number;
}

/** What a batch says of one event whose words may change with it. */
export interface Touched {
  first?: AnyRecord;
  end?: AnyRecord;
  readonly analyses: Map<number, AnyRecord>;
  readonly messages: Map<number, AnyRecord>;
}

/** Lines that follow what is folded. */
export interface Batch {
  readonly records: readonly BatchRecord[];
  readonly touched: ReadonlyMap<number, Touched>;
  readonly damaged: number;
  /** Where the run is folded to, once this is. */
  readonly next: Position;
}

/** Reads the next lines of a ledger, as many as the limits allow and one at least. A torn last line is left. */
export async function readBatch(
  file: { readonly run: RunId; readonly ledger: string },
  from: Position,
  limits: BatchLimits,
): Promise<Batch> {
  const records: BatchRecord[] = [];
  const touched = new Map<number, Touched>();
  const run = { row: from.row, id: file.run };
  let next = from;
  let last: Buffer | undefined;
  let damaged = 0;
  let text = 0;
  for await (const line of readLedger(file.ledger, { offset: from.folded, index: from.lines })) {
    if (line.torn) break;
    const { record, start: at, index } = line;
    if (record === undefined || index >= MAX_RECORDS) damaged += 1;
    else {
      records.push({ record, at, index });
      text += touch(touched, { run, record, index });
    }
    last = line.bytes;
    next = { ...next, folded: line.end, lines: index + 1 };
    if (next.folded - from.folded >= limits.bytes || text >= limits.text) break;
  }
  if (last !== undefined) next = { ...next, head: lineHash(last) };
  return { records, touched, damaged, next };
}

interface Line {
  readonly run: { readonly row: number; readonly id: RunId };
  readonly record: AnyRecord;
  readonly index: number;
}

const TEXT_FIELDS = ['body', 'requestBody', 'responseBody', 'content'];

/** Notes what a record says of the words of its event. Gives the bytes of the texts that it names. */
function touch(touched: Map<number, Touched>, line: Line): number {
  const { record, run } = line;
  const type = textOf(record, 'type');
  const isFirst = type === 'request' || type === 'tunnel.open' || type === 'refused';
  if (!isFirst && type !== 'end' && type !== 'analysis' && type !== 'message') return 0;
  const event = isFirst ? eventRow(run.row, ownSeq(line)) : eventOf(line);
  if (event === undefined) return 0;
  const known: Touched = touched.get(event) ?? { analyses: new Map(), messages: new Map() };
  touched.set(event, known);
  if (isFirst) known.first = record;
  else if (type === 'end') known.end = record;
  else if (type === 'analysis') known.analyses.set(firstMessage(record), record);
  else known.messages.set(intOf(record, 'n') ?? line.index, record);
  return TEXT_FIELDS.reduce((sum, field) => sum + textBytes(record[field]), 0);
}

function textBytes(body: unknown): number {
  if (!hasBytes(body)) return 0;
  const bytes = typeof body === 'object' && body !== null && 'bytes' in body ? body.bytes : 0;
  return typeof bytes === 'number' ? Math.min(bytes, BODY_LIMIT) : 0;
}
