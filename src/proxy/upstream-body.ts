import type { HeaderList } from '../core/headers.ts';
import type { BodyReader } from './body.ts';
import { BadRequest, UpstreamError, WireError } from './errors.ts';

/** The body of an answer: what breaks it off is the origin's doing. */
export class UpstreamBody implements BodyReader {
  readonly #inner: BodyReader;

  constructor(inner: BodyReader) {
    this.#inner = inner;
  }

  get done(): boolean {
    return this.#inner.done;
  }

  get trailers(): HeaderList | undefined {
    return this.#inner.trailers;
  }

  poll(): Buffer | undefined {
    try {
      return this.#inner.poll();
    } catch (error) {
      throw upstreamFailure(error);
    }
  }

  async read(): Promise<Buffer | undefined> {
    try {
      return await this.#inner.read();
    } catch (error) {
      throw upstreamFailure(error);
    }
  }
}

/** What reading an answer threw, as the failure of the origin that it is. */
export function upstreamFailure(error: unknown): UpstreamError {
  if (error instanceof WireError) {
    const code = error.kind === 'stalled' ? 'timeout' : 'connect_failed';
    return new UpstreamError(code, `the origin broke off: ${error.message}`, error);
  }
  if (error instanceof BadRequest) {
    return new UpstreamError(
      'connect_failed',
      `the answer of the origin cannot be read: ${error.message}`,
      error,
    );
  }
  throw error;
}
