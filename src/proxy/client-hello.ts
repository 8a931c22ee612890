import type { Wire } from './wire.ts';

/** What gate must know of a ClientHello (RFC 8446 §4.1.2) before it chooses who answers it. */
export interface ClientHello {
  /** As sent; undefined when there is none. */
  readonly sni: string | undefined;
  readonly alpn: readonly string[];
}

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const RECORD_HEADER = 5;
/** RFC 8446 §5.1, with room for what old versions added. */
const MAX_RECORD = 16_384 + 2048;
/** Post-quantum hellos have 2 kB; nobody needs more than this. */
const MAX_HELLO = 64 * 1024;

/** Reads a ClientHello and puts every byte of it back. Undefined when the bytes are none, or the client broke off. */
export async function peekClientHello(wire: Wire, waitMs: number): Promise<ClientHello | undefined> {
  let bytes: Buffer = Buffer.alloc(0);
  const deadline = Date.now() + waitMs;
  for (;;) {
    const more = await wire.read(Math.max(1, deadline - Date.now()));
    if (more === undefined) return undefined;
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    const hello = parseClientHello(bytes);
    if (hello === 'more' && bytes.length < MAX_HELLO) continue;
    wire.unread(bytes);
    return typeof hello === 'object' ? hello : undefined;
  }
}

/** Parses the TLS records at the start of these bytes. */
export function parseClientHello(bytes: Buffer): ClientHello | 'more' | 'bad' {
  const message = handshakeMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return readHello(new Reader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'bad';
    throw error;
  }
}

/** The first handshake message, put together from the records it is spread over. */
function handshakeMessage(bytes: Buffer): Buffer | 'more' | 'bad' {
  const fragments: Buffer[] = [];
  let have = 0;
  for (let at = 0; ; ) {
    if (bytes.length < at + RECORD_HEADER) return 'more';
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3) return 'bad';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD) return 'bad';
    const fragment = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    fragments.push(fragment);
    have += fragment.length;
    const message = fragments.length === 1 ? fragment : Buffer.concat(fragments);
    if (have >= 1 && message[0] !== CLIENT_HELLO) return 'bad';
    if (have >= 4) {
      const end = 4 + message.readUIntBE(1, 3);
      if (end > MAX_HELLO) return 'bad';
      if (have >= end) return message.subarray(4, end);
    }
    if (fragment.length < length) return 'more';
    at += RECORD_HEADER + length;
  }
}

function readHello(reader: Reader): ClientHello {
  reader.skip(2 + 32);
  reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  let sni: string | undefined;
  let alpn: string[] = [];
  if (reader.left === 0) return { sni, alpn };
  const extensions = new Reader(reader.vector(2));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = new Reader(extensions.vector(2));
    if (type === SERVER_NAME) sni = readServerName(data);
    else if (type === ALPN) alpn = readProtocols(data);
  }
  return { sni, alpn };
}

/** RFC 6066 §3: a list of names, of which only the first host name counts. */
function readServerName(data: Reader): string | undefined {
  if (data.left === 0) return undefined;
  const names = new Reader(data.vector(2));
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.vector(2);
    if (type === 0) return name.toString('latin1');
  }
  return undefined;
}

/** RFC 7301 §3.1. */
function readProtocols(data: Reader): string[] {
  const protocols: string[] = [];
  const list = new Reader(data.vector(2));
  while (list.left > 0) {
    const name = list.vector(1);
    protocols.push(name.toString('latin1'));
  }
  return protocols;
}

/** Reads big-endian numbers and length-prefixed vectors; throws RangeError past the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    if (count > this.left) throw new RangeError('past the end');
    this.#at += count;
  }

  number(width: 1 | 2): number {
    const at = this.#at;
    this.skip(width);
    return this.#bytes.readUIntBE(at, width);
  }

  vector(width: 1 | 2): Buffer {
    const length = this.number(width);
    const at = this.#at;
    this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }
}
