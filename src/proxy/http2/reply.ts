import { constants, type ServerHttp2Stream } from 'node:http2';
import type { HeaderList } from '../../core/headers.ts';
import { drained } from '../drained.ts';
import { WireError } from '../errors.ts';
import { endToEnd } from '../http1/hop.ts';
import type { Reply, ReplyHead } from '../reply.ts';
import { outgoingFields } from './fields.ts';

/** The client's side of an exchange on one HTTP/2 stream. */
export class Http2Reply implements Reply {
  readonly #stream: ServerHttp2Stream;
  readonly #stallMs: number;
  #trailers: HeaderList | undefined;
  #broken = false;
  #whole = false;
  #sent = false;
  #closes = false;

  constructor(stream: ServerHttp2Stream, stallMs: number) {
    this.#stream = stream;
    this.#stallMs = stallMs;
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  informational(head: ReplyHead): void {
    if (this.#dead) return;
    const fields = outgoingFields(endToEnd(head.headers, { chunked: false }));
    this.#stream.additionalHeaders({ ':status': head.status, ...fields });
  }

  head(head: ReplyHead): void {
    if (this.#dead) return;
    const fields = outgoingFields(endToEnd(head.headers, { chunked: false }));
    this.#whole = head.framing.kind === 'none';
    const options = { endStream: this.#whole, waitForTrailers: !this.#whole, sendDate: false };
    // The end of the stream is sent by sendTrailers only, never by a reset: see reset().
    this.#stream.once('wantTrailers', () => {
      if (this.#broken) return;
      this.#stream.sendTrailers(outgoingFields(this.#trailers ?? []));
      this.#onSent();
    });
    this.#stream.respond({ ':status': head.status, ...fields }, options);
    if (this.#whole) this.#onSent();
  }

  data(chunk: Buffer): Promise<void> | undefined {
    if (this.#dead) return Promise.reject(new WireError('broken', 'the stream is closed'));
    if (this.#stream.write(chunk)) return undefined;
    const broken = (): WireError => new WireError('broken', 'the stream is closed');
    return drained(this.#stream, { stallMs: this.#stallMs, broken });
  }

  end(trailers: HeaderList | undefined): void {
    this.#trailers = trailers;
    if (!this.#whole && !this.#dead) this.#stream.end();
  }

  /** A stream carries one exchange; what the client still sends of its request is refused. */
  closeAfter(): void {
    this.#closes = true;
    if (this.#sent) this.#onSent();
  }

  #onSent(): void {
    this.#sent = true;
    const stream = this.#stream;
    // RFC 9113 §8.1: NO_ERROR after a whole answer asks the client to stop sending. The answer leaves first.
    if (this.#closes) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  /**
   * Resets the stream. node:http2 ends a stream before it resets it, which would look like a clean end; as trailers
   * are awaited, that end is never sent.
   */
  reset(): void {
    this.#broken = true;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  get #dead(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
}
