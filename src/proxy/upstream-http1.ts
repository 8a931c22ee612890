import type { HeaderList } from '../core/headers.ts';
import type { BodyReader } from './body.ts';
import { urlAuthority } from './claim.ts';
import { loginNeeded, proxyFields } from './corporate/dial.ts';
import { BadRequest, WireError } from './errors.ts';
import { openBody } from './http1/body.ts';
import { CHUNK_END, chunkSizeLine, lastChunk } from './http1/chunked.ts';
import { listOf, NO_BODY, responseFraming, valuesOf } from './http1/framing.ts';
import { readHead, writeHead } from './http1/head.ts';
import type { Limits } from './limits.ts';
import { UpstreamBody, upstreamFailure } from './upstream-body.ts';
import type { IncomingResponse, OutgoingRequest, UpstreamCall, Way } from './upstream-call.ts';
import type { Pool, UpstreamConnection } from './upstream-pool.ts';
import type { Wire } from './wire.ts';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: (.*))?$/s;

export interface Http1CallDeps {
  readonly connection: UpstreamConnection;
  readonly reused: boolean;
  readonly pool: Pool;
  readonly key: string;
  readonly limits: Limits;
}

/** One HTTP/1.1 request and its answer on a connection of its own. */
export class Http1Call implements UpstreamCall {
  readonly protocol = 'http/1.1';
  readonly reused: boolean;
  firstByteMs: number | undefined;
  readonly #deps: Http1CallDeps;
  #method = '';
  #chunked = false;
  #sentAt = 0;
  #receivedBefore = 0;
  #sentWhole = false;
  #reusable = false;
  #keepMs: number | undefined;
  #body: BodyReader | undefined;

  constructor(deps: Http1CallDeps) {
    this.#deps = deps;
    this.reused = deps.reused;
  }

  get answered(): boolean {
    return this.#wire.received > this.#receivedBefore;
  }

  get address(): string {
    return this.#deps.connection.candidate.address;
  }

  get connectMs(): number | undefined {
    return this.reused ? undefined : this.#deps.connection.connectMs;
  }

  get tlsMs(): number | undefined {
    return this.reused ? undefined : this.#deps.connection.tlsMs;
  }

  send(request: OutgoingRequest, whole: Buffer | undefined, trailers?: HeaderList): void {
    const { socket } = this.#deps.connection.wire;
    this.#method = request.method;
    this.#chunked = request.framing.kind === 'chunked';
    this.#sentAt = performance.now();
    this.#receivedBefore = this.#wire.received;
    if (socket.destroyed) return;
    // Head and body leave in one write, so in one TLS record where they fit.
    socket.cork();
    socket.write(requestHead(request, this.#deps.connection.candidate), 'latin1');
    if (whole !== undefined) {
      if (whole.length > 0) this.#piece(whole);
      this.finish(trailers);
    }
    socket.uncork();
  }

  data(chunk: Buffer): Promise<void> | undefined {
    const { wire } = this.#deps.connection;
    if (chunk.length === 0 || wire.socket.destroyed) return undefined;
    wire.socket.cork();
    const free = this.#piece(chunk);
    wire.socket.uncork();
    // An origin that stops taking the body may still be answering: only its silence there counts.
    return free ? undefined : drainedOrDead(wire.socket);
  }

  finish(trailers: HeaderList | undefined): void {
    this.#sentWhole = true;
    const { socket } = this.#deps.connection.wire;
    if (this.#chunked && !socket.destroyed) socket.write(lastChunk(trailers));
  }

  #piece(chunk: Buffer): boolean {
    const { socket } = this.#deps.connection.wire;
    if (!this.#chunked) return socket.write(chunk);
    socket.write(chunkSizeLine(chunk.length));
    socket.write(chunk);
    return socket.write(CHUNK_END);
  }

  async response(): Promise<IncomingResponse> {
    const { wire } = this.#deps.connection;
    const { limits } = this.#deps;
    try {
      const head = await readHead(wire, {
        strict: false,
        maxBytes: limits.headBytes,
        idleMs: limits.upstreamIdleMs,
        headMs: limits.upstreamIdleMs,
      });
      if (head === undefined)
        throw new WireError('ended', 'the origin closed the connection without an answer');
      return this.#read(head.first, head.headers);
    } catch (error) {
      throw upstreamFailure(error);
    }
  }

  #read(first: string, headers: HeaderList): IncomingResponse {
    const match = STATUS_LINE.exec(first);
    if (match === null) throw new BadRequest('bad_status_line', 'the origin does not speak HTTP/1.1');
    const http10 = match[1] === '0';
    const status = Number(match[2]);
    const statusText = match[3] ?? '';
    if (status < 200) {
      return { status, statusText, headers, framing: NO_BODY, body: openBody(this.#wire, NO_BODY, 0) };
    }
    this.firstByteMs = performance.now() - this.#sentAt;
    const { through } = this.#deps.connection.candidate;
    if (status === 407 && through?.absolute) throw loginNeeded(through.proxy);
    const framing = responseFraming(status, this.#method, headers, http10);
    const options = listOf(headers, 'connection');
    const persistent = http10 ? options.includes('keep-alive') : !options.includes('close');
    // A length beside a coding is how responses are smuggled: do not trust what follows (RFC 9112 §6.3).
    const mixed = framing.kind === 'chunked' && valuesOf(headers, 'content-length').length > 0;
    this.#reusable = persistent && framing.kind !== 'close' && !mixed;
    this.#keepMs = announcedKeepAlive(headers);
    this.#body = new UpstreamBody(openBody(this.#wire, framing, this.#deps.limits.upstreamIdleMs));
    return { status, statusText, headers, framing, body: this.#body };
  }

  get #wire(): Wire {
    return this.#deps.connection.wire;
  }

  upgrade(): Wire {
    return this.#wire;
  }

  release(): void {
    if (this.#reusable && this.#sentWhole && this.#body?.done === true) {
      this.#deps.pool.put(this.#deps.key, this.#deps.connection, this.#keepMs);
    } else {
      this.#wire.destroy();
    }
  }

  abort(): void {
    this.#wire.reset();
  }
}

/** A proxy that is not a tunnel is asked for the whole URL (RFC 9112 §3.2.2), and told who asks. */
function requestHead({ method, path, headers }: OutgoingRequest, { through }: Way): string {
  if (through?.absolute !== true) return writeHead(`${method} ${path} HTTP/1.1`, headers);
  const { host, port } = through.target;
  const url = `http://${urlAuthority(host, port, 80)}${path === '*' ? '' : path}`;
  return writeHead(`${method} ${url} HTTP/1.1`, [...headers, ...proxyFields(through.proxy)]);
}

/** `Keep-Alive: timeout=5`, less a second for what is on its way, in milliseconds. */
function announcedKeepAlive(headers: HeaderList): number | undefined {
  const seconds = /(?:^|[,\s])timeout=([0-9]{1,6})/i.exec(valuesOf(headers, 'keep-alive').join(','))?.[1];
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1000 - 1000);
}

function drainedOrDead(socket: UpstreamConnection['wire']['socket']): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle);
      socket.off('close', settle);
      resolve();
    };
    socket.on('drain', settle);
    socket.on('close', settle);
  });
}
