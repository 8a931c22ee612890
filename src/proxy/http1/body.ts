import type { HeaderList } from '../../core/headers.ts';
import { type BodyReader, EMPTY_BODY } from '../body.ts';
import { WireError } from '../errors.ts';
import type { Wire } from '../wire.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Framing } from './framing.ts';

/** Reads a body of this framing from a wire, leaving what follows it there. `stallMs` bounds each wait. */
export function openBody(wire: Wire, framing: Framing, stallMs: number): BodyReader {
  if (framing.kind === 'none') return EMPTY_BODY;
  if (framing.kind === 'length') return new LengthBody(wire, stallMs, framing.length);
  if (framing.kind === 'chunked') return new ChunkedBody(wire, stallMs);
  return new CloseBody(wire, stallMs);
}

abstract class WireBody implements BodyReader {
  done = false;
  trailers: HeaderList | undefined;
  protected readonly wire: Wire;
  readonly #stallMs: number;

  constructor(wire: Wire, stallMs: number) {
    this.wire = wire;
    this.#stallMs = stallMs;
  }

  /** What of these bytes is body; undefined for none yet. Gives back what follows the body. */
  protected abstract accept(bytes: Buffer): Buffer | undefined;
  protected abstract ended(): void;

  poll(): Buffer | undefined {
    if (this.done) return undefined;
    const bytes = this.wire.take();
    return bytes === undefined ? undefined : this.accept(bytes);
  }

  async read(): Promise<Buffer | undefined> {
    while (!this.done) {
      const bytes = await this.wire.read(this.#stallMs);
      if (bytes === undefined) {
        this.ended();
        return undefined;
      }
      const piece = this.accept(bytes);
      if (piece !== undefined) return piece;
    }
    return undefined;
  }
}

class LengthBody extends WireBody {
  #left: number;

  constructor(wire: Wire, stallMs: number, length: number) {
    super(wire, stallMs);
    this.#left = length;
  }

  protected override accept(bytes: Buffer): Buffer {
    const piece = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    if (piece.length < bytes.length) this.wire.unread(bytes.subarray(piece.length));
    this.#left -= piece.length;
    this.done = this.#left === 0;
    return piece;
  }

  protected override ended(): void {
    throw new WireError('ended', `the body ended ${this.#left} bytes early`);
  }
}

class ChunkedBody extends WireBody {
  readonly #decoder = new ChunkedDecoder();

  protected override accept(bytes: Buffer): Buffer | undefined {
    const data = this.#decoder.push(bytes);
    this.done = this.#decoder.done;
    this.trailers = this.#decoder.trailers;
    if (this.#decoder.rest !== undefined) this.wire.unread(this.#decoder.rest);
    if (data.length <= 1) return data[0];
    return Buffer.concat(data);
  }

  protected override ended(): void {
    throw new WireError('ended', 'the body ended before its last chunk');
  }
}

class CloseBody extends WireBody {
  protected override accept(bytes: Buffer): Buffer {
    return bytes;
  }

  protected override ended(): void {
    this.done = true;
  }
}
