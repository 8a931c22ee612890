import type { AnyRecord } from '../ledger-reader.ts';
import {
  asObject,
  countOf,
  firstMessage,
  intOf,
  numberOf,
  objectOf,
  objectsOf,
  seqOf,
  textOf,
  timeOf,
} from './fields.ts';
import type { EventValues, Rows } from './rows.ts';
import { eventRow, MAX_RECORDS } from './schema.ts';
import { levelOf } from './severity.ts';

/** One record on its way into the tables. */
export interface Incoming {
  readonly rows: Rows;
  readonly run: { readonly row: number; readonly id: string };
  readonly record: AnyRecord;
  /** Byte offset of its line, and the line's number from 0. */
  readonly at: number;
  readonly index: number;
}

/**
 * Writes what one record says into the tables; records of other types say nothing there. Applied again, a record
 * replaces what it wrote before, but for the sums of messages.
 */
export function applyRecord(incoming: Incoming): void {
  APPLY[textOf(incoming.record, 'type') ?? '']?.(incoming);
}

const APPLY: Readonly<Record<string, ((incoming: Incoming) => void) | undefined>> = {
  __proto__: null as never,
  'run.start': applyStart,
  'run.end': ({ rows, run, record }) => {
    rows.stop.run(timeOf(record), intOf(record, 'exitCode'), textOf(record, 'signal'), run.row);
  },
  request: (incoming) => {
    const { rows, record } = incoming;
    const body = objectOf(record, 'body');
    rows.event.run(begun(incoming, 'exchange', { request_bytes: intOf(body, 'bytes') }));
  },
  response: (incoming) => {
    const { rows, record, at } = incoming;
    const event = known(incoming);
    if (event !== undefined) rows.response.run(intOf(record, 'status'), at, event);
  },
  end: applyEnd,
  message: applyMessage,
  informational: (incoming) => {
    const event = known(incoming);
    if (event !== undefined) incoming.rows.piece.run(event, 'informational', incoming.index, incoming.at);
  },
  analysis: applyAnalysis,
  'tunnel.open': (incoming) => {
    incoming.rows.event.run(begun(incoming, 'tunnel', {}));
  },
  tunnel: applyTunnel,
  refused: (incoming) => {
    const { rows, record } = incoming;
    const count = countOf(record, 'count') ?? 1;
    const host = textOf(record, 'host') ?? textOf(record, 'address');
    rows.event.run(begun(incoming, 'refused', { host, count, protocol: textOf(record, 'proto') }));
  },
};

/** The seq by which other records name this one: the one in its id, else its own. */
export function ownSeq({ run, record, index }: Pick<Incoming, 'run' | 'record' | 'index'>): number {
  const seq = seqOf(run.id, record['id']) ?? intOf(record, 'seq') ?? index;
  return seq >= 0 && seq < MAX_RECORDS ? seq : index;
}

/** The event that a later record is about; undefined where its id is not of this run. */
export function eventOf({ run, record }: Pick<Incoming, 'run' | 'record'>): number | undefined {
  const seq = seqOf(run.id, record['id']);
  return seq === undefined || seq >= MAX_RECORDS ? undefined : eventRow(run.row, seq);
}

/** The same, and its row is there: when the line that began it is damaged, the rest of it is still shown. */
function known(incoming: Incoming): number | undefined {
  const { rows, run, record } = incoming;
  const event = eventOf(incoming);
  if (event !== undefined) rows.stub.run(event, run.row, event - eventRow(run.row, 0), timeOf(record));
  return event;
}

function begun(incoming: Incoming, kind: string, given: Partial<EventValues>): EventValues {
  const { run, record, at } = incoming;
  const seq = ownSeq(incoming);
  const decision = objectOf(record, 'decision');
  return {
    id: eventRow(run.row, seq),
    run: run.row,
    seq,
    kind,
    at: timeOf(record),
    via: textOf(record, 'via'),
    method: textOf(record, 'method'),
    url: textOf(record, 'url'),
    host: textOf(record, 'host'),
    port: intOf(record, 'port'),
    protocol: textOf(record, 'protocol'),
    verdict: textOf(decision, 'verdict'),
    reason: textOf(decision, 'reason') ?? textOf(record, 'reason'),
    list: textOf(decision, 'list'),
    pattern: textOf(decision, 'pattern'),
    outcome: null,
    request_bytes: null,
    response_bytes: null,
    count: 1,
    total_ms: null,
    request_at: at,
    end_at: null,
    ...given,
  };
}

function applyStart({ rows, run, record }: Incoming): void {
  const git = objectOf(record, 'git');
  rows.start.run(
    timeOf(record),
    textOf(record, 'mode'),
    typeof record['enforce'] === 'boolean' ? Number(record['enforce']) : null,
    textOf(objectOf(record, 'agent'), 'name'),
    textOf(record, 'cwd'),
    Array.isArray(record['argv']) ? JSON.stringify(record['argv']) : null,
    asObject(record['labels']) === undefined ? null : JSON.stringify(record['labels']),
    textOf(git, 'root'),
    textOf(git, 'branch'),
    run.row,
  );
}

function applyEnd(incoming: Incoming): void {
  const { rows, record, at } = incoming;
  const event = known(incoming);
  if (event === undefined) return;
  const timing = objectOf(record, 'timing');
  rows.end.run(
    textOf(record, 'outcome'),
    textOf(objectOf(record, 'error'), 'code'),
    intOf(objectOf(record, 'requestBody'), 'bytes'),
    intOf(objectOf(record, 'responseBody'), 'bytes'),
    numberOf(timing, 'totalMs'),
    numberOf(timing, 'firstByteMs'),
    at,
    event,
  );
}

function applyMessage(incoming: Incoming): void {
  const { rows, record, at, index } = incoming;
  const event = known(incoming);
  if (event === undefined) return;
  rows.piece.run(event, 'message', intOf(record, 'n') ?? index, at);
  const bytes = countOf(objectOf(record, 'body'), 'bytes') ?? 0;
  (record['from'] === 'client' ? rows.sent : rows.received).run(bytes, event);
}

/** The end of a tunnel repeats how it began; its row began where `tunnel.open` stands. */
function applyTunnel(incoming: Incoming): void {
  const { rows, record, at, run } = incoming;
  const timing = objectOf(record, 'timing');
  const values = begun(incoming, 'tunnel', {});
  rows.stub.run(values.id, run.row, values.seq, values.at);
  rows.tunnel.run(
    ...[values.via, values.host, values.port, values.verdict, values.reason, values.list, values.pattern],
    textOf(record, 'outcome'),
    intOf(record, 'bytesUp'),
    intOf(record, 'bytesDown'),
    numberOf(timing, 'totalMs'),
    at,
    values.id,
  );
}

function applyAnalysis(incoming: Incoming): void {
  const { rows, record, at } = incoming;
  const event = known(incoming);
  if (event === undefined) return;
  const n = firstMessage(record);
  const repeated = rows.hasPiece.get(event, 'analysis', n) !== undefined;
  if (repeated) {
    for (const forget of rows.forget) forget.run(event, n);
  }
  rows.piece.run(event, 'analysis', n, at);
  for (const flag of objectsOf(record, 'flags')) {
    // One of a later version counts as the least.
    const severity = levelOf(textOf(flag, 'severity') ?? '') ?? 1;
    rows.flag.run(n, textOf(flag, 'code') ?? '', severity, textOf(flag, 'detail') ?? '', event);
  }
  for (const secret of objectsOf(record, 'secrets')) applySecret(rows, event, n, secret);
  const pii = objectOf(record, 'pii');
  for (const side of ['request', 'response']) applyPii(rows, event, n, side, objectOf(pii, side));
  const llm = asObject(record['llm']);
  if (llm !== undefined) applyCall(rows, event, n, llm);
  rows.flagged.run(event);
  if (llm !== undefined || repeated) rows.called.run({ event });
}

function applySecret(rows: Rows, event: number, n: number, secret: AnyRecord): void {
  const fingerprint = textOf(secret, 'fingerprint') ?? '';
  const [kind, place] = [textOf(secret, 'kind') ?? '', textOf(secret, 'where') ?? ''];
  const count = countOf(secret, 'count') ?? 1;
  rows.span.run(event, n, 'secret', kind, place, fingerprint, textOf(secret, 'masked'), count);
}

function applyPii(rows: Rows, event: number, n: number, side: string, counts: AnyRecord): void {
  for (const kind of Object.keys(counts)) {
    const count = countOf(counts, kind);
    if (count !== null && count > 0) rows.span.run(event, n, 'pii', kind, side, '', null, count);
  }
}

function applyCall(rows: Rows, event: number, n: number, llm: AnyRecord): void {
  const usage = objectOf(llm, 'usage');
  const tools = objectsOf(llm, 'toolCalls').map((call) => textOf(call, 'name'));
  rows.call.run({
    event,
    n,
    provider: textOf(llm, 'provider'),
    api: textOf(llm, 'api'),
    model: textOf(llm, 'model'),
    session: textOf(llm, 'session'),
    stop_reason: textOf(llm, 'stopReason'),
    tokens_in: countOf(usage, 'input'),
    tokens_out: countOf(usage, 'output'),
    cache_read: countOf(usage, 'cacheRead'),
    cache_write: countOf(usage, 'cacheWrite'),
    cost_usd: numberOf(llm, 'costUsd'),
    tool_calls: JSON.stringify(tools.filter((name) => name !== null)),
  });
}
