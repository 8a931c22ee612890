/**
 * The few DER forms that certificates need (ITU-T X.690): a writer that takes ready content, and a reader that
 * never looks past the buffer it was given.
 */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element with the given tag byte and the joined content. */
export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([header(tag, length), ...content]);
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([tag, 0x80 | bytes.length, ...bytes]);
}

/** Elements one after the other. */
export function sequence(...content: readonly Buffer[]): Buffer {
  return tlv(TAG.sequence, ...content);
}

/** A non-negative INTEGER from big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const negative = ((trimmed[0] ?? 0) & 0x80) !== 0;
  return tlv(TAG.integer, negative ? Buffer.from([0]) : Buffer.alloc(0), trimmed);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

/** A BIT STRING; `unused` is the number of bits at its end that do not count. */
export function bitString(bytes: Buffer, unused = 0): Buffer {
  return tlv(TAG.bitString, Buffer.from([unused]), bytes);
}

/** Bytes as they are. */
export function octetString(bytes: Buffer): Buffer {
  return tlv(TAG.octetString, bytes);
}

/** A point of time to the second: UTCTime until 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  if (at.getUTCFullYear() < 2050) return tlv(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'));
  return tlv(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** An element that was read: its tag byte, its content, and all its bytes. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** Reads the elements that lie side by side in `bytes`. Throws a RangeError where they do not fit. */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.bytes.length;
  }
  return found;
}

/** Reads the element that fills `bytes`. Throws a RangeError where it does not. */
export function element(bytes: Buffer): Element {
  const found = elementAt(bytes, 0);
  if (found.bytes.length !== bytes.length) throw new RangeError('DER: bytes after the element');
  return found;
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new RangeError('DER: cut short');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // Four bytes of length are 4 GiB: nothing here is longer, and the indefinite form (0x80) is not DER.
  if (first === 0x80 || lengthBytes > 4) throw new RangeError('DER: bad length');
  const start = at + 2 + lengthBytes;
  if (start > bytes.length) throw new RangeError('DER: cut short');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const end = start + length;
  if (end > bytes.length) throw new RangeError('DER: cut short');
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end) };
}
