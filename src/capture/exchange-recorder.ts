import type {
  EndFacts,
  ExchangeRecorder,
  InformationalFacts,
  RequestBody,
  RequestFacts,
  ResponseFacts,
} from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import { exchangeId, type RunId } from '../core/ids.ts';
import type { BodyInput } from '../store/run-files.ts';
import type { RunWriter } from '../store/run-writer.ts';
import type { Counter } from './counts.ts';
import type { Masker } from './mask.ts';
import type { ExchangeWatch, Observer } from './observer.ts';

/** What the recorders of one run share. */
export interface CaptureDeps {
  readonly run: RunId;
  readonly writer: RunWriter;
  readonly masker: Masker;
  readonly counter: Counter;
  /** Who follows the exchanges, once there is somebody. */
  readonly observer?: () => Observer | undefined;
}

/** An exchange that has been made durable up to its request. */
export interface RecordedExchange extends ExchangeRecorder {
  /** When the request was recorded, by `performance.now()`. */
  readonly startedMs: number;
}

/** A request body is durable before it goes on up to here; beyond it, it is written (docs: the promises). */
const DURABLE_BODY = 1024 * 1024;

/** Records a request. Resolves when its head, and what has come of its body, is flushed. */
export async function recordRequest(
  deps: CaptureDeps,
  facts: RequestFacts,
  body: RequestBody,
): Promise<RecordedExchange> {
  const { writer, masker, counter } = deps;
  const observer = deps.observer?.();
  const mayBegin = observer?.admit();
  if (mayBegin !== undefined) await mayBegin;
  const seq = writer.nextSeq;
  const id = exchangeId(deps.run, seq);
  const content = contentOf(facts.headers);
  const fields = {
    id,
    ...facts,
    url: masker.url(facts.url),
    headers: masker.headers(facts.headers),
    ...(body.kind === 'whole' ? {} : { body: body.kind === 'none' ? null : { open: true } }),
  };
  const meta = { exchange: seq, side: 'request', ...content } as const;
  const whole: BodyInput | undefined = body.kind === 'whole' ? { ...body, meta } : undefined;
  let { op } = writer.append('request', fields, whole === undefined ? {} : { body: whole });
  counter.add('exchanges');
  counter.host(facts.host);
  counter.decision(facts.decision);
  const stream = body.kind === 'open' ? writer.openBody(meta) : undefined;
  const sent = body.kind === 'open' ? body.bytes.length : 0;
  if (stream !== undefined && body.kind === 'open' && sent > 0) op = writer.data(stream, body.bytes);
  const trailers = body.kind === 'whole' ? body.trailers : undefined;
  if (trailers !== undefined) op = appendTrailers(deps, id, trailers);
  await writer.durable(op);
  const watch = observer?.opened({ id, seq, facts });
  return createExchange(deps, { id, seq, stream, sent, trailers, watch });
}

interface Request {
  readonly id: string;
  readonly seq: number;
  /** The open request body. */
  readonly stream: number | undefined;
  /** Bytes of it that are recorded. */
  readonly sent: number;
  /** Of a body that came whole. */
  readonly trailers: HeaderList | undefined;
  readonly watch: ExchangeWatch | undefined;
}

function createExchange(deps: CaptureDeps, request: Request): RecordedExchange {
  const { writer, masker, counter } = deps;
  const { id, seq } = request;
  let { sent } = request;
  let isRequestComplete = false;
  let requestTrailers = request.trailers;
  let responded: { readonly type?: string; readonly encoding?: string } | undefined;
  let responseStream: number | undefined;
  let messages = 0;

  function bodies(): Record<string, BodyInput> {
    const ends: Record<string, BodyInput> = {};
    if (request.stream !== undefined) {
      ends['requestBody'] = { kind: 'open', stream: request.stream, incomplete: !isRequestComplete };
    }
    if (responseStream !== undefined) ends['responseBody'] = { kind: 'open', stream: responseStream };
    return ends;
  }

  /** Somebody waits for these bytes in order to pass them on: they are written before anything else is done. */
  function now(op: number): Promise<void> {
    writer.push();
    return writer.written(op);
  }

  return {
    id,
    startedMs: performance.now(),
    async requestData(chunk) {
      if (request.stream === undefined) throw new TypeError(`${id} has no open request body`);
      if (chunk.length === 0) return;
      const op = writer.data(request.stream, chunk);
      const mustBeDurable = sent < DURABLE_BODY;
      sent += chunk.length;
      await (mustBeDurable ? writer.durable(op) : now(op));
    },
    async requestEnd(trailers) {
      isRequestComplete = true;
      requestTrailers = trailers;
      if (trailers !== undefined) await writer.durable(appendTrailers(deps, id, trailers));
    },
    informational: (facts) => now(writer.append('informational', headFields(id, facts, masker)).op),
    response(facts, more = false) {
      responded = contentOf(facts.headers);
      const { op } = writer.append('response', headFields(id, facts, masker));
      return more ? writer.written(op) : now(op);
    },
    responseData(chunk, more = false) {
      if (chunk.length === 0) return Promise.resolve();
      responseStream ??= writer.openBody({ exchange: seq, side: 'response', ...responded });
      const op = writer.data(responseStream, chunk);
      return more ? writer.written(op) : now(op);
    },
    message(from, opcode, bytes, more = false) {
      const n = messages;
      messages += 1;
      counter.add('messages');
      const body: BodyInput = { kind: 'whole', bytes, meta: { exchange: seq, side: from } };
      const { op } = writer.append('message', { id, n, from, opcode }, { body });
      return (more ? writer.written(op) : now(op)).then(() => request.watch?.message(n));
    },
    async end(facts) {
      if (facts.outcome !== 'complete' && facts.outcome !== 'denied') counter.add('failed');
      const fields = endFields(id, facts, requestTrailers, masker);
      const noBody = responded !== undefined && responseStream === undefined ? { responseBody: null } : {};
      await writer.durable(writer.append('end', { ...fields, ...noBody }, bodies()).op);
      request.watch?.ended(requestTrailers);
    },
  };
}

/** They go on after the body, and are recorded before that. */
function appendTrailers({ writer, masker }: CaptureDeps, id: string, trailers: HeaderList): number {
  return writer.append('trailers', { id, headers: masker.headers(trailers) }).op;
}

function headFields(id: string, facts: ResponseFacts | InformationalFacts, masker: Masker): object {
  return { id, ...facts, headers: masker.headers(facts.headers) };
}

function endFields(
  id: string,
  facts: EndFacts,
  requestTrailers: HeaderList | undefined,
  masker: Masker,
): object {
  return {
    id,
    ...facts,
    ...(facts.trailers === undefined ? {} : { trailers: masker.headers(facts.trailers) }),
    ...(requestTrailers === undefined ? {} : { requestTrailers: masker.headers(requestTrailers) }),
  };
}

/** What the headers say of a body's bytes. */
function contentOf(headers: HeaderList): { type?: string; encoding?: string } {
  const content: { type?: string; encoding?: string } = {};
  for (const [name, value] of headers) {
    // Two lengths instead of two lower-cased copies of every name.
    if (name.length === 12 && name.toLowerCase() === 'content-type') content.type = value;
    else if (name.length === 16 && name.toLowerCase() === 'content-encoding') content.encoding = value;
  }
  return content;
}
