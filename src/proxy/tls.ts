import tls from 'node:tls';
import { codeOf } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import { WireError } from './errors.ts';
import type { Wire } from './wire.ts';

export interface Termination {
  /** Whose certificate is shown. */
  readonly host: string;
  /** What the client offered. */
  readonly alpn: readonly string[];
}

/** What gate speaks inside TLS, best first. */
const SPOKEN = ['h2', 'http/1.1', 'http/1.0'];

/** Why there is no TLS with a client. */
export interface NoTls {
  readonly reason: string;
  /** What the client said, in the words of RFC 8446 §6, such as `unknown_ca`. Many hang up and say nothing. */
  readonly alert?: string;
}

export type Terminated =
  | { readonly ok: true; readonly socket: tls.TLSSocket }
  | ({ readonly ok: false } & NoTls);

/** Whether gate can speak any of the protocols that a client offers; no offer means HTTP/1.1. */
export function speaksAny(offered: readonly string[]): boolean {
  return offered.length === 0 || offered.some((protocol) => SPOKEN.includes(protocol));
}

/** Ends the client's TLS with a certificate of gate's CA. The bytes of its ClientHello must be unread on the wire. */
export async function terminateTls(
  connection: Connection,
  wire: Wire,
  options: Termination,
): Promise<Terminated> {
  const { certificates, limits } = connection.deps;
  let secureContext: tls.SecureContext;
  try {
    secureContext = certificates.contextFor(options.host);
  } catch (error) {
    connection.deps.onBug(error);
    wire.destroy();
    return { ok: false, reason: 'no_certificate' };
  }
  const secured = new tls.TLSSocket(wire.detach(), {
    isServer: true,
    secureContext,
    allowHalfOpen: true,
    ALPNProtocols: SPOKEN.filter((protocol) => options.alpn.includes(protocol)),
  } as tls.TLSSocketOptions);
  const failure = await handshake(secured, limits.headMs);
  if (failure !== undefined) return { ok: false, ...failure };
  // As tls.Server does for its own sockets: node:http2 would wait for a handshake that is over.
  Object.assign(secured, { secureConnecting: false });
  return { ok: true, socket: secured };
}

/** Resolves to undefined when the handshake is done. */
function handshake(secured: tls.TLSSocket, waitMs: number): Promise<NoTls | undefined> {
  return new Promise((resolve) => {
    const settle = (failure: NoTls | undefined): void => {
      clearTimeout(timer);
      secured.off('secure', onSecure);
      secured.off('end', onHangUp);
      secured.off('close', onHangUp);
      secured.off('_tlsError', onError);
      if (failure !== undefined) secured.destroy();
      resolve(failure);
    };
    const onSecure = (): void => settle(undefined);
    // Many clients hang up on a certificate they do not trust without saying so.
    const onHangUp = (): void => settle({ reason: 'certificate_rejected' });
    const onError = (error: unknown): void => settle(rejectionOf(error));
    const timer = setTimeout(() => settle({ reason: 'handshake_timeout' }), waitMs);
    secured.on('secure', onSecure);
    secured.on('end', onHangUp);
    secured.on('close', onHangUp);
    secured.on('_tlsError', onError);
    // Stays on: a late error of a dead socket must not end the process.
    secured.on('error', onError);
  });
}

const ALERT = /_ALERT_([A-Z_]+)$/;
const REJECTED: ReadonlySet<string> = new Set([
  ...['unknown_ca', 'bad_certificate', 'certificate_unknown', 'certificate_expired', 'certificate_revoked'],
  ...['unsupported_certificate', 'access_denied'],
]);

/** Reads a TLS error of the client's side: an alert about our certificate (RFC 8446 §6.2), or something else. */
export function rejectionOf(error: unknown): NoTls {
  const cause = error instanceof WireError ? error.cause : error;
  const code = codeOf(cause) ?? '';
  const alert = ALERT.exec(code)?.[1]?.toLowerCase();
  if (alert !== undefined)
    return { reason: REJECTED.has(alert) ? 'certificate_rejected' : 'tls_failed', alert };
  return { reason: code === 'ECONNRESET' || code === 'EPIPE' ? 'certificate_rejected' : 'tls_failed' };
}
