import { BadRequest } from '../errors.ts';
import { listOf, valuesOf } from './framing.ts';
import { type Head, isToken } from './head.ts';

/** A request line, taken apart. */
export interface RequestLine {
  readonly method: string;
  readonly http10: boolean;
  /** `host:port` as CONNECT gives it. */
  readonly connect: string | undefined;
  /** Absolute-form: what its URL says. */
  readonly absolute: { readonly scheme: 'http' | 'https'; readonly authority: string } | undefined;
  /** Origin-form or `*`. */
  readonly path: string;
}

const LINE = /^([^ ]+) ([^ ]+) HTTP\/([0-9])\.([0-9])$/s;
const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/is;

/** Reads a request line (RFC 9112 §3) in its four forms. Throws {@link BadRequest}. */
export function readRequestLine(text: string): RequestLine {
  const match = LINE.exec(text);
  const [, method = '', target = '', major, minor] = match ?? [];
  if (match === null || !isToken(method)) throw new BadRequest('bad_request_line', 'no HTTP request line');
  if (major !== '1') throw new BadRequest('bad_version', `HTTP/${major} is not spoken here`, 505);
  const base = { method, http10: minor === '0', connect: undefined, absolute: undefined };
  if (method === 'CONNECT') return { ...base, connect: target, path: '' };
  if (target.startsWith('/')) return { ...base, path: target };
  if (target === '*' && method === 'OPTIONS') return { ...base, path: target };
  const url = ABSOLUTE.exec(target);
  if (url === null) throw new BadRequest('bad_target', 'neither a path nor an http URL');
  const [, scheme = '', authority = '', rest = ''] = url;
  const path = rest.startsWith('/') ? rest : rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`;
  return {
    ...base,
    absolute: { scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http', authority },
    path,
  };
}

/** Whether the client expects the connection to stay open (RFC 9112 §9.3). */
export function isPersistent(head: Head, http10: boolean): boolean {
  const options = [...listOf(head.headers, 'connection'), ...listOf(head.headers, 'proxy-connection')];
  return http10 ? options.includes('keep-alive') : !options.includes('close');
}

/** Whether the client waits for a word before it sends its body (RFC 9110 §10.1.1). */
export function expectsContinue(head: Head, http10: boolean): boolean {
  return !http10 && valuesOf(head.headers, 'expect').some((value) => value.toLowerCase() === '100-continue');
}

/**
 * Whether this is a WebSocket handshake (RFC 6455 §4.1). Any other upgrade is not taken up: what it would switch to
 * could not be read, and the request is answered as if it had not been asked for (RFC 9110 §7.8).
 */
export function asksForWebSocket(head: Head, line: RequestLine): boolean {
  if (line.method !== 'GET' || line.http10) return false;
  const [protocol, ...others] = listOf(head.headers, 'upgrade');
  return (
    protocol === 'websocket' && others.length === 0 && listOf(head.headers, 'connection').includes('upgrade')
  );
}
