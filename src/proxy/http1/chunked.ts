import type { HeaderList } from '../../core/headers.ts';
import { BadRequest } from '../errors.ts';
import { headEnd, parseFields } from './head.ts';

const CR = 13;
const LF = 10;
/** A size line with its extensions: longer is an attack on our memory, not a chunk. */
const MAX_SIZE_LINE = 4096;
const MAX_TRAILERS = 64 * 1024;
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
/** Fields that would change the framing or the routing of the message that is already on its way (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS = new Set(['content-length', 'transfer-encoding', 'host', 'trailer', 'connection']);

/**
 * Decodes the chunked transfer coding (RFC 9112 §7.1), strictly: CRLF only, plain hexadecimal sizes, bounded size
 * lines and trailers. Feed it bytes; it gives the data in them and keeps what is incomplete.
 */
export class ChunkedDecoder {
  done = false;
  trailers: HeaderList | undefined;
  /** Bytes after the end of the body. */
  rest: Buffer | undefined;
  #state: 'size' | 'data' | 'data-end' | 'trailers' = 'size';
  #left = 0;
  #pending: Buffer | undefined;

  /** The data within these bytes; an empty list when there is none yet. Throws {@link BadRequest}. */
  push(input: Buffer): Buffer[] {
    let bytes = this.#pending === undefined ? input : Buffer.concat([this.#pending, input]);
    this.#pending = undefined;
    const data: Buffer[] = [];
    while (bytes.length > 0 && !this.done) {
      const used = this.#step(bytes, data);
      if (used === 0) {
        this.#pending = bytes;
        return data;
      }
      bytes = bytes.subarray(used);
    }
    if (this.done && bytes.length > 0) this.rest = bytes;
    return data;
  }

  /** Consumes one element; 0 when it is not complete. */
  #step(bytes: Buffer, data: Buffer[]): number {
    if (this.#state === 'size') return this.#size(bytes);
    if (this.#state === 'data') return this.#data(bytes, data);
    if (this.#state === 'data-end') return this.#dataEnd(bytes);
    return this.#trailerSection(bytes);
  }

  #size(bytes: Buffer): number {
    const at = bytes.indexOf(LF);
    if (at < 0 ? bytes.length > MAX_SIZE_LINE : at > MAX_SIZE_LINE) {
      throw new BadRequest('bad_chunk', 'an overlong chunk size line');
    }
    if (at < 0) return 0;
    if (bytes[at - 1] !== CR) throw new BadRequest('bad_chunk', 'a chunk size line without CRLF');
    const size = SIZE_LINE.exec(bytes.toString('latin1', 0, at - 1))?.[1];
    if (size === undefined) throw new BadRequest('bad_chunk', 'a chunk size that is no number');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return at + 1;
  }

  #data(bytes: Buffer, data: Buffer[]): number {
    const used = Math.min(this.#left, bytes.length);
    data.push(bytes.subarray(0, used));
    this.#left -= used;
    if (this.#left === 0) this.#state = 'data-end';
    return used;
  }

  #dataEnd(bytes: Buffer): number {
    if (bytes[0] !== CR || (bytes.length > 1 && bytes[1] !== LF)) {
      throw new BadRequest('bad_chunk', 'a chunk longer than its size');
    }
    if (bytes.length < 2) return 0;
    this.#state = 'size';
    return 2;
  }

  #trailerSection(bytes: Buffer): number {
    const end = headEnd(bytes, true);
    if (end < 0 ? bytes.length > MAX_TRAILERS : end > MAX_TRAILERS) {
      throw new BadRequest('bad_trailers', 'overlong trailers');
    }
    if (end < 0) return 0;
    const fields = parseFields(bytes.toString('latin1', 0, end).split('\r\n'), true);
    const kept = fields.filter(([name]) => !NOT_IN_TRAILERS.has(name.toLowerCase()));
    if (kept.length > 0) this.trailers = kept;
    this.done = true;
    return end;
  }
}

/** The end of a chunked body, with its trailers. */
export function lastChunk(trailers: HeaderList | undefined): Buffer {
  let text = '0\r\n';
  for (const [name, value] of trailers ?? []) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** The line before a chunk of this many bytes. */
export function chunkSizeLine(bytes: number): Buffer {
  return Buffer.from(`${bytes.toString(16)}\r\n`, 'latin1');
}

/** What stands behind the bytes of a chunk. */
export const CHUNK_END: Buffer = Buffer.from('\r\n', 'latin1');
