import type { OutgoingHttpHeaders } from 'node:http2';
import type { HeaderList } from '../../core/headers.ts';
import { BadRequest } from '../errors.ts';
import { isToken } from '../http1/head.ts';

/** What must not be in an HTTP/2 message (RFC 9113 §8.2.2). */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** Fields that a peer takes once only; an HTTP/1.1 origin may have repeated them. */
const SINGLE = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'age',
  'content-encoding',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'host',
  'last-modified',
  'location',
  'max-forwards',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const LINE_BREAKING = /[\x00\r\n]/;

/**
 * The options of a session whose peer may send heads of so many bytes. There is room for more, so that a head which is
 * too long is answered and recorded: node:http2 resets a stream beyond its own limits without a word to anyone. Its
 * default for fields is 128; each counts as 32 bytes at least (RFC 9113 §6.5.2).
 */
export function headRoom(headBytes: number): {
  maxHeaderListPairs: number;
  maxSendHeaderBlockLength: number;
  maxHeaderListSize: number;
} {
  const most = 8 * headBytes;
  return { maxHeaderListPairs: most / 32, maxSendHeaderBlockLength: most, maxHeaderListSize: most };
}

/** How many bytes the fields of a received block would have in an HTTP/1.1 head. */
export function headSize(raw: readonly string[]): number {
  let bytes = 0;
  // Two more behind each name, and two behind each value.
  for (const text of raw) bytes += text.length + 2;
  return bytes;
}

/** The regular fields of a received block, in wire order. `raw` alternates names and values. */
export function regularFields(raw: readonly string[]): HeaderList {
  const fields: HeaderList = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!name.startsWith(':')) fields.push([name, raw[at + 1] ?? '']);
  }
  return fields;
}

/** A pseudo-header field of a received block. */
export function pseudoField(raw: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at] === name) return raw[at + 1];
  }
  return undefined;
}

/**
 * Fields in the form that node:http2 sends. Order is kept between names; repeated fields stay repeated, next to each
 * other, except those that may come once only.
 */
export function outgoingFields(fields: HeaderList): OutgoingHttpHeaders {
  const outgoing: OutgoingHttpHeaders = {};
  for (const [rawName, value] of fields) {
    const name = rawName.toLowerCase();
    if (CONNECTION_SPECIFIC.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers')) continue;
    const before = outgoing[name];
    if (before === undefined) outgoing[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (!SINGLE.has(name)) outgoing[name] = [String(before), value];
  }
  return outgoing;
}

/**
 * The fields of an HTTP/2 request in HTTP/1.1 form: `Host` first, cookie crumbs joined (RFC 9113 §8.2.3), a transfer
 * coding where the body has no length. Throws {@link BadRequest} for what would break an HTTP/1.1 head.
 */
export function toHttp1(fields: HeaderList, authority: string | undefined, chunked: boolean): HeaderList {
  const headers: HeaderList = [];
  const cookies: string[] = [];
  let cookieAt = -1;
  const hasHost = fields.some(([name]) => name === 'host');
  if (authority !== undefined && !hasHost) headers.push(['host', authority]);
  for (const [name, value] of fields) {
    if (!isToken(name) || LINE_BREAKING.test(value))
      throw new BadRequest('bad_field', 'a field that is none');
    if (CONNECTION_SPECIFIC.has(name)) throw new BadRequest('bad_field', `'${name}' in an HTTP/2 request`);
    // `content-length: 0` on a stream that goes on would stand beside the coding: two readings of one body.
    if (chunked && name === 'content-length') continue;
    if (name !== 'cookie') {
      headers.push([name, value]);
      continue;
    }
    if (cookieAt < 0) cookieAt = headers.push(['cookie', '']) - 1;
    cookies.push(value);
  }
  if (cookieAt >= 0) headers[cookieAt] = ['cookie', cookies.join('; ')];
  if (chunked) headers.push(['transfer-encoding', 'chunked']);
  return headers;
}
