import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';

export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  /** As clients must. */
  readonly mask?: boolean;
}

/** Builds a WebSocket frame (RFC 6455 §5.2). */
export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const first = (options.fin === false ? 0 : 0x80) | (options.rsv1 ? 0x40 : 0) | (options.opcode ?? 1);
  const maskBit = options.mask ? 0x80 : 0;
  let head: Buffer;
  if (bytes.length < 126) head = Buffer.from([first, maskBit | bytes.length]);
  else if (bytes.length < 65_536)
    head = Buffer.from([first, maskBit | 126, bytes.length >> 8, bytes.length & 255]);
  else {
    head = Buffer.alloc(10);
    head.set([first, maskBit | 127]);
    head.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  if (!options.mask) return Buffer.concat([head, bytes]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, bytes.map((byte, at) => byte ^ (key[at & 3] ?? 0))]);
}

/** Compresses one message as permessage-deflate without context takeover does (RFC 7692 §7.2.1). */
export function deflated(payload: string | Buffer): Buffer {
  const bytes = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, bytes.length - 4);
}

/** The client's half of the handshake. */
export function handshake(host: string, path = '/ws', fields = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`
  );
}

/** The server's half. */
export function switching(fields = ''): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n${fields}\r\n`
  );
}
