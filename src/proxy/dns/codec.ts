/**
 * The part of the DNS wire format (RFC 1035, RFC 6891) that a stub resolver's questions need: a strict, bounded
 * parser of queries and a writer of answers. Nothing here grows with what a client sends.
 */

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
/** The internet: no other class is in use. */
export const CLASS_IN = 1;
/** Response codes (RFC 1035, 4.1.1). */
export const RCODE = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const;

const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** A question carries one OPT at most, and may be signed (TSIG). */
const MAX_ADDITIONAL = 2;
/** What gate says it can take over UDP: fits every path without fragments (DNS flag day 2020). */
const UDP_SIZE = 1232;
const OPCODE = 0x7800;
/** The flags that an answer repeats: opcode, RD and CD. */
const REPEATED_FLAGS = OPCODE | 0x0110;
const FLAG_RESPONSE = 0x8000;
const FLAG_RECURSION_AVAILABLE = 0x0080;
/** Seconds. Short, because an answer is good for this run only, and asking again costs nothing. */
const TTL_SECONDS = 60;

export interface Header {
  readonly id: number;
  readonly flags: number;
}

export interface Query extends Header {
  /** The question's bytes as they came, letters in their case. */
  readonly question: Buffer;
  /** Labels as they came, one character a byte. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** Whether the query carries an OPT record, and its EDNS version. */
  readonly edns: { readonly version: number } | undefined;
}

/** A message that cannot be answered as a query. */
export interface Malformed {
  readonly malformed: string;
  /** The error to be told, where anybody is to be told. */
  readonly error: { readonly header: Header; readonly rcode: number } | undefined;
}

/**
 * Reads one query. A message of less than a header, or one that is itself an answer, gets no answer: answering
 * answers would let two servers talk to each other for ever.
 */
export function parseQuery(message: Buffer): Query | Malformed {
  if (message.length < HEADER_BYTES) return { malformed: 'shorter than a header', error: undefined };
  const header = { id: message.readUInt16BE(0), flags: message.readUInt16BE(2) };
  if ((header.flags & FLAG_RESPONSE) !== 0) return { malformed: 'an answer', error: undefined };
  // The other operations (NOTIFY, UPDATE …) count and order their sections in ways of their own.
  if ((header.flags & OPCODE) !== 0) {
    return { malformed: 'not a query', error: { header, rcode: RCODE.notImp } };
  }
  try {
    return { ...header, ...readSections(message) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { malformed: error.message, error: { header, rcode: RCODE.formErr } };
  }
}

function readSections(message: Buffer): Omit<Query, 'id' | 'flags'> {
  const questions = message.readUInt16BE(4);
  const additional = message.readUInt16BE(10);
  if (questions !== 1) throw new RangeError(`${questions} questions`);
  if (message.readUInt16BE(6) !== 0 || message.readUInt16BE(8) !== 0)
    throw new RangeError('answers in a query');
  if (additional > MAX_ADDITIONAL) throw new RangeError(`${additional} additional records`);
  const { labels, end } = readName(message, HEADER_BYTES);
  const question = message.subarray(HEADER_BYTES, end + 4);
  const type = message.readUInt16BE(end);
  const edns = readAdditional(message, end + 4, additional);
  return { question, labels, type, class: message.readUInt16BE(end + 2), edns };
}

/** A name without compression: there is nothing before a question that it could point to. */
function readName(message: Buffer, start: number): { labels: string[]; end: number } {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    at += 1;
    if (length === 0) break;
    if (length > MAX_LABEL_BYTES) throw new RangeError('a compressed or unknown label');
    if (at + length > message.length) throw new RangeError('cut short');
    labels.push(message.toString('latin1', at, at + length));
    at += length;
    if (at - start >= MAX_NAME_BYTES) throw new RangeError('a name over 255 bytes');
  }
  return { labels, end: at };
}

function readAdditional(message: Buffer, start: number, count: number): Query['edns'] {
  let edns: Query['edns'];
  let at = start;
  for (let n = 0; n < count; n++) {
    const { labels, end } = readName(message, at);
    const type = message.readUInt16BE(end);
    const ttl = message.readUInt32BE(end + 4);
    at = end + 10 + message.readUInt16BE(end + 8);
    if (type !== TYPE.OPT) continue;
    if (edns !== undefined || labels.length > 0) throw new RangeError('a bad OPT record');
    edns = { version: (ttl >>> 16) & 0xff };
  }
  if (at !== message.length) throw new RangeError('bytes that belong to nothing');
  return edns;
}

/** An answer: an rcode (RFC 6895), with at most one record. */
export type Answer =
  | { readonly rcode: number; readonly record?: undefined }
  | { readonly rcode: 0; readonly record: AnswerRecord };

export type AnswerRecord =
  | { readonly type: typeof TYPE.A; readonly address: string }
  | { readonly type: typeof TYPE.AAAA; readonly address: '::1' }
  | { readonly type: typeof TYPE.PTR; readonly name: string };

/** Writes the answer to a query: its own question, the record if there is one, and OPT for OPT. */
export function writeAnswer(query: Query, answer: Answer): Buffer {
  const record = answer.record === undefined ? Buffer.alloc(0) : writeRecord(answer.record);
  const opt = query.edns === undefined ? Buffer.alloc(0) : writeOpt(answer.rcode);
  const header = writeHeader(query, answer.rcode);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answer.record === undefined ? 0 : 1, 6);
  header.writeUInt16BE(query.edns === undefined ? 0 : 1, 10);
  return Buffer.concat([header, query.question, record, opt]);
}

/** Writes the bare header that tells a client what was wrong with its message. */
export function writeError(header: Header, rcode: number): Buffer {
  return writeHeader(header, rcode);
}

function writeHeader({ id, flags }: Header, rcode: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(
    FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (flags & REPEATED_FLAGS) | (rcode & 0xf),
    2,
  );
  return header;
}

function writeRecord(record: AnswerRecord): Buffer {
  const data = recordData(record);
  const head = Buffer.alloc(12);
  // A pointer to the question's name, which always lies right behind the header.
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  head.writeUInt16BE(record.type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function recordData(record: AnswerRecord): Buffer {
  switch (record.type) {
    case TYPE.A:
      return Buffer.from(record.address.split('.').map(Number));
    case TYPE.AAAA:
      return Buffer.from([...new Array<number>(15).fill(0), 1]);
    case TYPE.PTR:
      return writeName(record.name);
  }
}

function writeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), label]),
    Buffer.from([0]),
  ]);
}

function writeOpt(rcode: number): Buffer {
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(TYPE.OPT, 1);
  opt.writeUInt16BE(UDP_SIZE, 3);
  opt.writeUInt8(rcode >> 4, 5);
  return opt;
}
