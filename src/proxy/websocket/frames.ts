/** A frame's head (RFC 6455 §5.2). */
export interface FrameHead {
  readonly fin: boolean;
  /** With permessage-deflate: the message is compressed (RFC 7692 §6). */
  readonly rsv1: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly length: number;
}

/** What a parser reports, in wire order; `raw` bytes together are exactly what was pushed. */
export interface FrameSink {
  head(head: FrameHead, raw: Buffer): void;
  /** A piece of the payload: as on the wire, and without its mask. */
  payload(raw: Buffer, plain: Buffer): void;
  /** The frame is complete. */
  end(head: FrameHead): void;
}

/** RFC 6455, 11.8. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const MAX_CONTROL = 125;

/** The peer does not speak the protocol: what follows cannot be read by anyone. */
export class BadFrame extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadFrame';
  }
}

/** Whether a frame is one of the connection, not of a message: these may stand between the fragments of one. */
export function isControl(head: FrameHead): boolean {
  return head.opcode >= 8;
}

/** Cuts a byte stream into frames without collecting them. */
export class FrameParser {
  readonly #sink: FrameSink;
  #pending: Buffer | undefined;
  #head: FrameHead | undefined;
  #seen = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Throws {@link BadFrame}. */
  push(chunk: Buffer): void {
    let bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    while (bytes.length > 0) {
      const used = this.#head === undefined ? this.#readHead(bytes) : this.#readPayload(this.#head, bytes);
      if (used === 0) {
        this.#pending = bytes;
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  #readHead(bytes: Buffer): number {
    const size = headSize(bytes);
    if (size === undefined || bytes.length < size) return 0;
    const head = parseHead(bytes, size);
    this.#head = head;
    this.#seen = 0;
    this.#sink.head(head, bytes.subarray(0, size));
    if (head.length === 0) this.#finish(head);
    return size;
  }

  #readPayload(head: FrameHead, bytes: Buffer): number {
    const used = Math.min(head.length - this.#seen, bytes.length);
    const raw = bytes.subarray(0, used);
    this.#sink.payload(raw, head.mask === undefined ? raw : unmask(raw, head.mask, this.#seen));
    this.#seen += used;
    if (this.#seen === head.length) this.#finish(head);
    return used;
  }

  #finish(head: FrameHead): void {
    this.#head = undefined;
    this.#sink.end(head);
  }
}

function headSize(bytes: Buffer): number | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function parseHead(bytes: Buffer, size: number): FrameHead {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  const head = {
    fin: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    opcode: first & 0x0f,
    mask: (second & 0x80) === 0 ? undefined : Buffer.from(bytes.subarray(size - 4, size)),
    length: payloadLength(bytes, second & 0x7f),
  };
  if (isControl(head) && (!head.fin || head.length > MAX_CONTROL)) throw new BadFrame('a bad control frame');
  return head;
}

function payloadLength(bytes: Buffer, short: number): number {
  if (short < 126) return short;
  if (short === 126) return bytes.readUInt16BE(2);
  const long = bytes.readBigUInt64BE(2);
  if (long > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadFrame('an impossible length');
  return Number(long);
}

/** RFC 6455 §5.3; `offset` is where in the payload these bytes begin. */
function unmask(raw: Buffer, mask: Buffer, offset: number): Buffer {
  const plain = Buffer.allocUnsafe(raw.length);
  for (let at = 0; at < raw.length; at += 1) {
    plain[at] = (raw[at] ?? 0) ^ (mask[(at + offset) & 3] ?? 0);
  }
  return plain;
}
