import type { HeaderList } from '../../core/headers.ts';
import { BadRequest } from '../errors.ts';

/** How the end of a body is known (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Ends when the origin closes: responses only. */
  | { readonly kind: 'close' };

/** The framing of a message that has no body. */
export const NO_BODY: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };
const UNTIL_CLOSE: Framing = { kind: 'close' };
const DIGITS = /^[0-9]{1,15}$/;

/** The values of every field of a name, which must be in lower case. */
export function valuesOf(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (const [field, value] of headers) {
    if (field.length === name.length && field.toLowerCase() === name) values.push(value);
  }
  return values;
}

/** The members of a comma-separated list field, in lower case. */
export function listOf(headers: HeaderList, name: string): string[] {
  const members: string[] = [];
  for (const value of valuesOf(headers, name)) {
    for (const member of value.split(',')) {
      const trimmed = member.trim().toLowerCase();
      if (trimmed !== '') members.push(trimmed);
    }
  }
  return members;
}

/**
 * The framing of a request. Whatever two readers could understand differently is refused: two lengths (even equal
 * ones), a length with a transfer coding, any coding but one plain `chunked`, a coding from an HTTP/1.0 client.
 */
export function requestFraming(headers: HeaderList, http10: boolean): Framing {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length > 0) {
    if (lengths.length > 0) throw new BadRequest('length_and_coding', 'both a length and a transfer coding');
    if (http10) throw new BadRequest('coding_in_http10', 'a transfer coding from an HTTP/1.0 client');
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      throw new BadRequest('unknown_coding', 'a transfer coding other than chunked', 501);
    }
    return CHUNKED;
  }
  if (lengths.length > 1) throw new BadRequest('two_lengths', 'more than one Content-Length');
  return lengths[0] === undefined ? NO_BODY : lengthFraming(lengths[0]);
}

/**
 * The framing of a response. Laxer where RFC 9112 §6.3 says how: equal lengths are one, a coding wins over a
 * length; what stays ambiguous throws, and the client gets a 502.
 */
export function responseFraming(
  status: number,
  method: string,
  headers: HeaderList,
  http10: boolean,
): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NO_BODY;
  const codings = listOf(headers, 'transfer-encoding');
  if (codings.length > 0) {
    if (http10) return UNTIL_CLOSE;
    if (codings.length > 1 || codings[0] !== 'chunked') {
      throw new BadRequest('unknown_coding', 'a transfer coding other than chunked');
    }
    return CHUNKED;
  }
  const lengths = new Set(valuesOf(headers, 'content-length').flatMap((value) => value.split(/\s*,\s*/)));
  if (lengths.size > 1) throw new BadRequest('two_lengths', 'more than one Content-Length');
  const [length] = lengths;
  return length === undefined ? UNTIL_CLOSE : lengthFraming(length);
}

function lengthFraming(text: string): Framing {
  if (!DIGITS.test(text)) throw new BadRequest('bad_length', 'a Content-Length that is no number');
  const length = Number(text);
  return length === 0 ? NO_BODY : { kind: 'length', length };
}
