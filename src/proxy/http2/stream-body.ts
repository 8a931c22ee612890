import type { Http2Stream } from 'node:http2';
import type { HeaderList } from '../../core/headers.ts';
import type { BodyReader } from '../body.ts';
import { WireError } from '../errors.ts';
import { regularFields } from './fields.ts';

/** Received bytes kept unread before the stream is paused, and with it the peer's flow-control window. */
const HIGH_WATER = 256 * 1024;

interface Waiter {
  readonly resolve: () => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * The body of an HTTP/2 message. node:http2 emits `end` for streams that were reset, too: a body counts as whole only
 * when nothing aborted the stream and its announced length has come.
 */
export class StreamBody implements BodyReader {
  done = false;
  trailers: HeaderList | undefined;
  readonly #stream: Http2Stream;
  readonly #stallMs: number;
  #queue: Buffer[] = [];
  #queued = 0;
  #left: number | undefined;
  #ended = false;
  #failure: WireError | undefined;
  #waiter: Waiter | undefined;

  constructor(stream: Http2Stream, stallMs: number, length: number | undefined) {
    this.#stream = stream;
    this.#stallMs = stallMs;
    this.#left = length;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('trailers', (_headers: unknown, _flags: number, raw?: string[]) => this.#onTrailers(raw ?? []));
    stream.on('end', () => this.#onEnd());
    stream.on('aborted', () => this.#fail('the stream was reset'));
    stream.on('error', (error: Error) => this.#fail(error.message));
    stream.on('close', () => this.#fail('the stream was closed'));
  }

  poll(): Buffer | undefined {
    // The last piece of a body of known length is its end, which only `end` confirms.
    if (this.#queued === 0 || (this.#left === 0 && !this.#ended)) return undefined;
    const piece = this.#queue.length === 1 ? this.#queue[0] : Buffer.concat(this.#queue, this.#queued);
    this.#queue = [];
    this.#queued = 0;
    this.done = this.#ended;
    if (this.#stream.isPaused()) this.#stream.resume();
    return piece;
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = this.poll();
      if (piece !== undefined) return piece;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) {
        this.done = true;
        return undefined;
      }
      if (!(await this.#more())) throw new WireError('stalled', `nothing came for ${this.#stallMs} ms`);
    }
  }

  /** Waits for any news; false when there was none in time. */
  #more(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiter = undefined;
        resolve(false);
      }, this.#stallMs);
      this.#waiter = { resolve: () => resolve(true), timer };
    });
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(waiter?.timer);
    waiter?.resolve();
  }

  #onData(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#left !== undefined) this.#left -= chunk.length;
    if (this.#queued >= HIGH_WATER) this.#stream.pause();
    this.#wake();
  }

  #onTrailers(raw: readonly string[]): void {
    const fields = regularFields(raw);
    if (fields.length > 0) this.trailers = fields;
  }

  #onEnd(): void {
    const { aborted, rstCode } = this.#stream;
    if (aborted || rstCode !== 0) this.#fail('the stream was reset');
    else if (this.#left !== undefined && this.#left !== 0) this.#fail('the body has not its length');
    else this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    if (this.#queued === 0) this.done = true;
    this.#wake();
  }

  #fail(message: string): void {
    if (this.#ended) return;
    this.#failure ??= new WireError('broken', message);
    this.#wake();
  }
}
