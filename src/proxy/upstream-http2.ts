import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { HeaderList } from '../core/headers.ts';
import { type BodyReader, EMPTY_BODY } from './body.ts';
import { UpstreamError, WireError } from './errors.ts';
import { type Framing, NO_BODY, responseFraming, valuesOf } from './http1/framing.ts';
import { headSize, outgoingFields, pseudoField, regularFields } from './http2/fields.ts';
import { StreamBody } from './http2/stream-body.ts';
import type { Limits } from './limits.ts';
import { UpstreamBody } from './upstream-body.ts';
import type { IncomingResponse, OutgoingRequest, UpstreamCall } from './upstream-call.ts';
import type { OriginSession } from './upstream-sessions.ts';
import type { Wire } from './wire.ts';

export interface Http2CallDeps {
  readonly entry: OriginSession;
  readonly reused: boolean;
  readonly limits: Limits;
}

interface Waiter {
  readonly resolve: (head: IncomingResponse) => void;
  readonly reject: (error: UpstreamError) => void;
}

/** One HTTP/2 request and its answer: a stream of a session that others share. */
export class Http2Call implements UpstreamCall {
  readonly protocol = 'h2';
  readonly reused: boolean;
  readonly address: string;
  readonly connectMs: number | undefined;
  readonly tlsMs: number | undefined;
  answered = false;
  firstByteMs: number | undefined;
  readonly #deps: Http2CallDeps;
  #stream: ClientHttp2Stream | undefined;
  #method = '';
  #sentAt = 0;
  #sentWhole = false;
  #aborted = false;
  #trailers: HeaderList | undefined;
  #heads: IncomingResponse[] = [];
  #failure: UpstreamError | undefined;
  #waiter: Waiter | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: Http2CallDeps) {
    this.#deps = deps;
    this.reused = deps.reused;
    this.address = deps.entry.candidate.address;
    this.connectMs = deps.reused ? undefined : deps.entry.connectMs;
    this.tlsMs = deps.reused ? undefined : deps.entry.tlsMs;
  }

  send(request: OutgoingRequest, whole: Buffer | undefined, trailers?: HeaderList): void {
    this.#method = request.method;
    this.#sentAt = performance.now();
    const endStream = whole !== undefined && whole.length === 0 && trailers === undefined;
    this.#sentWhole = endStream;
    try {
      // As trailers are awaited, a call that is cut off never looks like one that has ended (see Http2Reply.reset).
      const options = { endStream, waitForTrailers: !endStream };
      this.#listen(this.#deps.entry.session.request(this.#fields(request), options));
    } catch (error) {
      this.#fail('connect_failed', error instanceof Error ? error.message : String(error));
      return;
    }
    if (whole === undefined || endStream) return;
    if (whole.length > 0) this.#stream?.write(whole);
    this.finish(trailers);
  }

  #fields(request: OutgoingRequest): OutgoingHttpHeaders {
    const { host, ...fields } = outgoingFields(request.headers);
    return {
      ':method': request.method,
      ':scheme': 'https',
      ':authority': typeof host === 'string' ? host : this.#deps.entry.authority,
      ':path': request.path,
      ...fields,
    };
  }

  #listen(stream: ClientHttp2Stream): void {
    const { entry } = this.#deps;
    this.#stream = stream;
    entry.carry(stream);
    stream.on('headers', (_headers, _flags, raw?: string[]) => this.#onHead(raw ?? [], stream));
    stream.on('response', (_headers, _flags, raw?: string[]) => this.#onHead(raw ?? [], stream));
    stream.on('wantTrailers', () => {
      if (!this.#aborted) stream.sendTrailers(outgoingFields(this.#trailers ?? []));
    });
    // So close those streams, too, that a GOAWAY says were not begun with.
    const refused = (): boolean => stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    stream.on('error', (error: Error) =>
      this.#fail('connect_failed', `the origin broke off: ${error.message}`, refused()),
    );
    stream.on('close', () =>
      this.#fail('connect_failed', 'the origin closed the stream without an answer', refused()),
    );
  }

  #onHead(raw: readonly string[], stream: ClientHttp2Stream): void {
    this.answered = true;
    const { headBytes, upstreamIdleMs } = this.#deps.limits;
    if (headSize(raw) > headBytes) {
      this.#fail('connect_failed', `the answer of the origin has a head of more than ${headBytes} bytes`);
      this.abort();
      return;
    }
    const status = Number(pseudoField(raw, ':status'));
    if (status >= 200) this.firstByteMs = performance.now() - this.#sentAt;
    const headers = regularFields(raw);
    const head = { status, statusText: '', headers };
    // The length that the answer to a HEAD has, and a 304 may have, is that of another body.
    const none = responseFraming(status, this.#method, [], false).kind === 'none';
    if (none || stream.endAfterHeaders) {
      if (status >= 200) stream.resume();
      this.#give({ ...head, framing: NO_BODY, body: EMPTY_BODY });
      return;
    }
    const framing = framingOf(headers);
    const length = framing.kind === 'length' ? framing.length : undefined;
    const body: BodyReader = new StreamBody(stream, upstreamIdleMs, length);
    this.#give({ ...head, framing, body: new UpstreamBody(body) });
  }

  #give(head: IncomingResponse): void {
    const waiter = this.#claimWaiter();
    if (waiter === undefined) this.#heads.push(head);
    else waiter.resolve(head);
  }

  #fail(code: 'connect_failed' | 'timeout', message: string, unprocessed = false): void {
    this.#failure ??= Object.assign(new UpstreamError(code, message), { unprocessed });
    this.#claimWaiter()?.reject(this.#failure);
  }

  #claimWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(this.#timer);
    return waiter;
  }

  response(): Promise<IncomingResponse> {
    const head = this.#heads.shift();
    if (head !== undefined) return Promise.resolve(head);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { upstreamIdleMs } = this.#deps.limits;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#timer = setTimeout(() => {
        this.#fail('timeout', `the origin did not answer within ${upstreamIdleMs} ms`);
      }, upstreamIdleMs);
    });
  }

  data(chunk: Buffer): Promise<void> | undefined {
    const stream = this.#stream;
    if (chunk.length === 0 || stream === undefined || stream.destroyed || stream.closed) return undefined;
    if (stream.write(chunk)) return undefined;
    return new Promise((resolve) => {
      const settle = (): void => {
        stream.off('drain', settle);
        stream.off('close', settle);
        resolve();
      };
      stream.on('drain', settle);
      stream.on('close', settle);
    });
  }

  finish(trailers: HeaderList | undefined): void {
    this.#trailers = trailers;
    this.#sentWhole = true;
    this.#stream?.end();
  }

  upgrade(): Wire {
    throw new WireError('broken', 'HTTP/2 streams are not upgraded');
  }

  release(): void {
    // Answered early: the origin is told that the rest of the request will not come.
    if (!this.#sentWhole) this.abort();
  }

  abort(): void {
    this.#aborted = true;
    const stream = this.#stream;
    if (stream !== undefined && !stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
  }
}

/** Lengths are checked, never believed: the end of the stream is the end of the body. */
function framingOf(headers: HeaderList): Framing {
  const [length] = valuesOf(headers, 'content-length');
  if (length === undefined || !/^[0-9]{1,15}$/.test(length)) return { kind: 'chunked' };
  return { kind: 'length', length: Number(length) };
}
