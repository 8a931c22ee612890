import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';
import type { HeaderList } from '../../core/headers.ts';
import { valuesOf } from '../http1/framing.ts';

/** More than this out of one message is not decoded: its compressed bytes are recorded instead. */
const MAX_DECODED = 64 * 1024 * 1024;
/** RFC 7692 §7.2.2: what every compressed message ends with, and leaves out. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** What the answer to a handshake says about compression (RFC 7692 §7.1), for each sender. */
export interface Compression {
  readonly client: { readonly freshContext: boolean };
  readonly server: { readonly freshContext: boolean };
}

/** Reads `Sec-WebSocket-Extensions`; undefined when messages are not compressed. */
export function negotiatedCompression(headers: HeaderList): Compression | undefined {
  const accepted = valuesOf(headers, 'sec-websocket-extensions')
    .flatMap((value) => value.split(','))
    .map((extension) => extension.split(';').map((part) => part.trim().toLowerCase()));
  const deflate = accepted.find(([name]) => name === 'permessage-deflate');
  if (deflate === undefined) return undefined;
  return {
    client: { freshContext: deflate.includes('client_no_context_takeover') },
    server: { freshContext: deflate.includes('server_no_context_takeover') },
  };
}

/**
 * Decompresses the messages of one sender, whose window may reach back over messages. Gives undefined from the first
 * message on that is broken or too large: the audit then keeps the bytes as they are.
 */
export class MessageInflater {
  readonly #freshContext: boolean;
  #inflate: InflateRaw | undefined;
  #failed = false;
  #decoded = 0;

  constructor(options: { freshContext: boolean }) {
    this.#freshContext = options.freshContext;
  }

  /** Decodes a part of a message; `last` when the message is complete with it. */
  async decode(part: Buffer, last: boolean): Promise<Buffer | undefined> {
    if (this.#failed) return undefined;
    try {
      const bytes = await this.#run(last ? Buffer.concat([part, TAIL]) : part);
      if (last) this.#decoded = 0;
      if (last && this.#freshContext) this.stop();
      return bytes;
    } catch {
      this.#failed = true;
      this.stop();
      return undefined;
    }
  }

  stop(): void {
    this.#inflate?.close();
    this.#inflate = undefined;
  }

  #run(input: Buffer): Promise<Buffer> {
    this.#inflate ??= createInflateRaw({ flush: constants.Z_SYNC_FLUSH });
    const inflate = this.#inflate;
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      const settle = (error?: Error): void => {
        inflate.off('data', onData);
        inflate.off('error', settle);
        if (error === undefined) resolve(Buffer.concat(pieces));
        else reject(error);
      };
      const onData = (piece: Buffer): void => {
        this.#decoded += piece.length;
        if (this.#decoded > MAX_DECODED) settle(new Error('too large'));
        else pieces.push(piece);
      };
      inflate.on('data', onData);
      inflate.on('error', settle);
      inflate.write(input);
      inflate.flush(() => settle());
    });
  }
}
