import { WireError } from './errors.ts';
import type { Wire } from './wire.ts';

/** What a client speaks, by its first bytes. `silent`: nothing within the wait; `ended`: it left without a word. */
export type Spoken = 'tls' | 'http1' | 'h2c' | 'raw' | 'silent' | 'ended';

const TLS_HANDSHAKE = 0x16;
/** RFC 9113 §3.4. */
const H2_PREFACE = 'PRI * HTTP/2.0\r\n';
/** The longest registered method has 17 letters. */
const LONGEST_METHOD = 32;
/** How much of a first line is waited for; a longer one is left to the limits of a request head. */
const LONGEST_LINE = 4096;
/** RFC 4253 §4.2. The version behind it may go on with a space and a comment, as a method goes on with its target. */
const SSH = 'SSH-';
/** Without one of these, a first line without an HTTP version belongs to another protocol of words (IRC, memcached …). */
const COMMON_METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) /;
const METHOD = /^(?:\r\n)*[A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]*( ?)/;

/**
 * Looks at the first bytes without taking them. `waitMs` bounds the silence before them, and `moreMs` the time until
 * they are enough to tell. Where they end or stop before, they are `raw`: they were said, so they are passed on or recorded.
 */
export async function sniff(wire: Wire, waitMs: number, moreMs: number): Promise<Spoken> {
  try {
    const first = await wire.read(waitMs);
    if (first === undefined) return 'ended';
    return await decide(wire, first, moreMs);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return error.kind === 'stalled' ? 'silent' : 'ended';
  }
}

async function decide(wire: Wire, first: Buffer, moreMs: number): Promise<Spoken> {
  const until = performance.now() + moreMs;
  let bytes = first;
  while (spokenBy(bytes) === undefined) {
    const more = await readMore(wire, until - performance.now());
    if (more === undefined) break;
    bytes = Buffer.concat([bytes, more]);
  }
  wire.unread(bytes);
  return spokenBy(bytes) ?? 'raw';
}

async function readMore(wire: Wire, leftMs: number): Promise<Buffer | undefined> {
  try {
    return await wire.read(Math.max(leftMs, 1));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** What these bytes begin, or undefined while they are too few to tell. */
export function spokenBy(bytes: Buffer): Exclude<Spoken, 'silent' | 'ended'> | undefined {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, LONGEST_METHOD));
  if (text.startsWith(H2_PREFACE)) return 'h2c';
  if (H2_PREFACE.startsWith(text)) return undefined;
  if (text === '\r' || text === '\r\n') return undefined;
  const match = METHOD.exec(text);
  if (match === null || text.startsWith(SSH)) return 'raw';
  if (match[1] === ' ') return byLine(bytes);
  return match[0].length === text.length && text.length < LONGEST_METHOD ? undefined : 'raw';
}

/** By the first line of what begins as a request. Before its version or its end, only a well-known method tells. */
function byLine(bytes: Buffer): 'http1' | 'raw' | undefined {
  const text = bytes.toString('latin1').replace(/^(?:\r\n)+/, '');
  if (COMMON_METHOD.test(text)) return 'http1';
  const end = text.indexOf('\n');
  const line = end === -1 ? text : text.slice(0, end);
  if (line.includes(' HTTP/') || line.length >= LONGEST_LINE) return 'http1';
  return end === -1 ? undefined : 'raw';
}
