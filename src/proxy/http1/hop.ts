import type { HeaderList } from '../../core/headers.ts';
import { listOf } from './framing.ts';

/** Fields that mean this hop only (RFC 9110 §7.6.1), and those of the proxy protocol. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** A `Connection` field must not be able to take away what routes or frames the message. */
const NEVER_DROPPED = new Set([
  'host',
  'content-length',
  'content-type',
  'authorization',
  'cookie',
  'expect',
]);

export interface HopOptions {
  /** The message is framed with chunks on the next hop as well. */
  readonly chunked: boolean;
  /** A WebSocket handshake: `Connection` and `Upgrade` go on as they are. */
  readonly upgrade?: boolean;
}

/**
 * The fields that go on to an HTTP/1.1 peer, in place and in order. `Transfer-Encoding` stays where it was when the
 * body is chunked on the next hop too, `Connection: keep-alive` stays because it is as true of our own connection,
 * and `TE: trailers` stays because trailers are carried.
 */
export function endToEnd(headers: HeaderList, options: HopOptions): HeaderList {
  const named = new Set(listOf(headers, 'connection').filter((name) => !NEVER_DROPPED.has(name)));
  const kept: HeaderList = [];
  for (const field of headers) {
    const name = field[0].toLowerCase();
    if (HOP_BY_HOP.has(name) ? stays(name, field[1], options) : !named.has(name)) kept.push(field);
  }
  return kept;
}

function stays(name: string, value: string, options: HopOptions): boolean {
  const plain = value.toLowerCase();
  if (name === 'transfer-encoding') return options.chunked;
  if (name === 'te') return plain === 'trailers';
  if (name === 'upgrade') return options.upgrade === true;
  if (name === 'connection') return options.upgrade === true || plain === 'keep-alive';
  return false;
}
