import type { HeaderList } from '../../core/headers.ts';
import type { Reply, ReplyHead } from '../reply.ts';
import type { Wire } from '../wire.ts';
import { CHUNK_END, chunkSizeLine, lastChunk } from './chunked.ts';
import { writeHead } from './head.ts';
import { endToEnd } from './hop.ts';

export interface Http1ReplyOptions {
  readonly wire: Wire;
  readonly http10: boolean;
  /** What the client asked for. */
  readonly persistent: boolean;
  readonly stallMs: number;
}

/** The client's side of an exchange over HTTP/1.x: framing as the origin chose it, where the client can read that. */
export class Http1Reply implements Reply {
  /** Whether the connection may carry another request once this answer has ended. */
  persistent: boolean;
  #chunked = false;
  readonly #options: Http1ReplyOptions;

  constructor(options: Http1ReplyOptions) {
    this.#options = options;
    this.persistent = options.persistent;
  }

  cork(): void {
    this.#options.wire.socket.cork();
  }

  uncork(): void {
    this.#options.wire.socket.uncork();
  }

  informational(head: ReplyHead): void {
    // RFC 9110 §15.2: a server must not send a 1xx to an HTTP/1.0 client.
    if (!this.#options.http10) this.#write(head, endToEnd(head.headers, { chunked: false }));
  }

  head(head: ReplyHead): void {
    const { http10 } = this.#options;
    if (head.status === 101) {
      this.#write(head, endToEnd(head.headers, { chunked: false, upgrade: true }));
      return;
    }
    const streamed = head.framing.kind === 'chunked' || head.framing.kind === 'close';
    this.#chunked = head.framing.kind === 'chunked' && !http10;
    if (streamed && !this.#chunked) this.persistent = false;
    const headers = oneLength(endToEnd(head.headers, { chunked: this.#chunked }), streamed);
    const kept = headers.filter(([name]) => name.toLowerCase() !== 'connection');
    // Where the origin said keep-alive and we do too, its field stays in its place.
    if (this.persistent && !http10) this.#write(head, headers);
    else this.#write(head, [...kept, ['Connection', this.persistent ? 'keep-alive' : 'close']]);
  }

  data(chunk: Buffer): Promise<void> | undefined {
    const { wire, stallMs } = this.#options;
    if (!this.#chunked) return wire.write(chunk, stallMs);
    this.cork();
    const { socket } = wire;
    const alive = !socket.destroyed && !socket.writableEnded;
    if (alive) {
      socket.write(chunkSizeLine(chunk.length));
      socket.write(chunk);
    }
    const free = wire.write(CHUNK_END, stallMs);
    this.uncork();
    return free;
  }

  end(trailers: HeaderList | undefined): void {
    const { wire } = this.#options;
    if (this.#chunked) wire.write(lastChunk(trailers))?.catch(() => undefined);
  }

  closeAfter(): void {
    this.persistent = false;
  }

  reset(): void {
    this.persistent = false;
    this.#options.wire.reset();
  }

  #write(head: ReplyHead, headers: HeaderList): void {
    const { socket } = this.#options.wire;
    if (socket.destroyed || socket.writableEnded) return;
    // The version is ours, as RFC 9112 §2.3 asks; everything else is the origin's.
    socket.write(writeHead(`HTTP/1.1 ${head.status} ${head.statusText}`, headers), 'latin1');
  }
}

/** RFC 9112 §6.3: no length beside a coding, and equal lengths become one. */
function oneLength(headers: HeaderList, streamed: boolean): HeaderList {
  let seen = streamed;
  return headers.flatMap((field): HeaderList => {
    if (field[0].toLowerCase() !== 'content-length') return [field];
    if (seen) return [];
    seen = true;
    return [[field[0], field[1].split(',')[0]?.trim() ?? '']];
  });
}
