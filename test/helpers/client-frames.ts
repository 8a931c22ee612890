import { createHash, randomBytes } from 'node:crypto';
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

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** The client's half of the handshake. */
export function handshake(host: string, path = '/ws', fields = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${fields}\r\n`
  );
}

/** The server's half, to a client's key (RFC 6455 §4.2.2). */
export function switching(fields = '', key = KEY): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`
  );
}

/** The key that a handshake asks with. */
export function keyIn(head: string): string | undefined {
  return /\r\nsec-websocket-key: *(\S+)/i.exec(head)?.[1];
}

export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The messages in what came, fragments joined and unmasked (RFC 6455 §5); control frames where they came. */
export function messagesIn(bytes: Buffer): Received[] {
  const found: Received[] = [];
  let open: Received | undefined;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, second = 0] = bytes.subarray(at);
    const { length, start } = lengthOf(bytes, at, second & 0x7f);
    const body = start + (second & 0x80 ? 4 : 0);
    if (body + length > bytes.length) break;
    const key = bytes.subarray(start, body);
    const payload = bytes.subarray(body, body + length).map((byte, index) => byte ^ (key[index & 3] ?? 0));
    const opcode = first & 15;
    at = body + length;
    if (opcode >= 8) found.push({ opcode, payload: Buffer.from(payload) });
    else open = { opcode: open?.opcode ?? opcode, payload: Buffer.concat([open?.payload ?? NONE, payload]) };
    if (opcode < 8 && open !== undefined && first & 0x80) {
      found.push(open);
      open = undefined;
    }
  }
  return found;
}

const NONE = Buffer.alloc(0);

function lengthOf(bytes: Buffer, at: number, short: number): { length: number; start: number } {
  if (short < 126) return { length: short, start: at + 2 };
  if (bytes.length < at + 10) return { length: Number.POSITIVE_INFINITY, start: at + 2 };
  if (short === 126) return { length: bytes.readUInt16BE(at + 2), start: at + 4 };
  return { length: Number(bytes.readBigUInt64BE(at + 2)), start: at + 10 };
}
