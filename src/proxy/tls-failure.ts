import { codeOf, messageOf } from '../core/errors.ts';
import { UpstreamError } from './errors.ts';

/** The first record of the answer is none of TLS: what OpenSSL calls it depends on the bytes that came instead. */
const NOT_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_RECORD_TOO_SMALL',
  'ERR_SSL_HTTP_REQUEST',
]);

/** The origin says so in an alert, or chooses an older version than was offered. */
const TOO_OLD = new Set(['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_SSL_UNSUPPORTED_PROTOCOL']);

/** Why a TLS handshake with an origin failed. A reset says nothing about trust; everything else does. */
export function tlsFailure(host: string, error: unknown): UpstreamError {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ETIMEDOUT') {
    const message = `${host} broke off its TLS handshake: ${messageOf(error)}`;
    return new UpstreamError('connect_failed', message, error);
  }
  const known = code === undefined ? '' : ` (${code})`;
  return new UpstreamError('tls_invalid', `${whatIsWrong(host, code, error)}${known}`, error);
}

function whatIsWrong(host: string, code: string | undefined, error: unknown): string {
  if (code !== undefined && NOT_TLS.has(code)) return `${host} does not speak TLS on this port`;
  if (code !== undefined && TOO_OLD.has(code)) {
    return `${host} speaks no version of TLS that gate accepts, which are 1.2 and 1.3`;
  }
  if (code?.startsWith('ERR_SSL_')) return `${host} and gate cannot agree on TLS: ${wordsOf(error)}`;
  return `the TLS of ${host} cannot be trusted: ${messageOf(error)}`;
}

/** What OpenSSL says, without thread, library and source line, which its message has around it. */
function wordsOf(error: unknown): string {
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  return typeof reason === 'string' ? reason : messageOf(error);
}
