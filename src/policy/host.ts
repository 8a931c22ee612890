import { domainToASCII, domainToUnicode } from 'node:url';
import type { Target } from '../core/policy.ts';
import { formatIp, looksNumeric, parseIp } from './ip.ts';

/** Longer input is not a host in any form; the limit keeps IDN mapping cheap on hostile text. */
const MAX_RAW = 1024;
/** RFC 1035 §2.3.4, without the trailing dot. */
const MAX_NAME = 253;
const MAX_LABEL = 63;

/**
 * The one form of a host that gate matches, dials and logs: a lower-case ASCII name without trailing dot, dotted
 * IPv4, or RFC 5952 IPv6 without brackets. IDN is mapped as browsers do (UTS 46, https://url.spec.whatwg.org/#idna),
 * so full-width letters and soft hyphens end as the plain name that is also dialled. Every inet_aton spelling of
 * IPv4 becomes dotted, and IPv4-mapped IPv6 becomes the IPv4 that it connects to. Returns undefined (reason
 * `bad_host`) for what has no such form: empty or long labels, names over 253 bytes, zone ids, userinfo, spaces,
 * controls, percent, backslash, a name that ends in a number but is no address, broken punycode.
 */
export function canonicalHost(raw: string): string | undefined {
  if (raw.length === 0 || raw.length > MAX_RAW) return undefined;
  if (raw.startsWith('[')) return raw.endsWith(']') ? canonicalIpv6(raw.slice(1, -1)) : undefined;
  if (raw.includes(':')) return canonicalIpv6(raw);
  const name = toAsciiName(raw);
  if (name === undefined) return undefined;
  const labels = name.split('.');
  if (!looksNumeric(labels.at(-1) ?? '')) return name;
  const ip = parseIp(name);
  return ip === undefined ? undefined : formatIp(ip);
}

/** Whether a canonical host is an IP address. */
export function isIpLiteral(host: string): boolean {
  return host.includes(':') || looksNumeric(host.slice(host.lastIndexOf('.') + 1));
}

/**
 * Splits a CONNECT target, `Host` or `:authority` value into a canonical host and a port of 1..65535. Without
 * `defaultPort` (CONNECT) the port must be there. Header strings decoded as latin1 are read as the UTF-8 that
 * was sent. Returns undefined (reason `bad_host`) for anything else, also for IPv6 without brackets.
 */
export function splitHostPort(text: string, defaultPort?: number): Target | undefined {
  const decoded = decodeWire(text);
  if (decoded === undefined) return undefined;
  const bracket = decoded.startsWith('[') ? decoded.indexOf(']') : 0;
  if (bracket < 0) return undefined;
  const colon = decoded.indexOf(':', bracket);
  const rawHost = colon < 0 ? decoded : decoded.slice(0, colon);
  const host = rawHost.includes(':') && !rawHost.startsWith('[') ? undefined : canonicalHost(rawHost);
  // RFC 3986 §3.2.3: an empty port is the default port.
  const rawPort = colon < 0 ? '' : decoded.slice(colon + 1);
  const port = rawPort === '' ? defaultPort : parsePort(rawPort);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Reads a port of 1..65535 in plain decimal, without sign, spaces or leading zeros. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** Writes a target as `host:port`, IPv6 in brackets; the port is left out where it is `defaultPort`. */
export function formatHostPort(target: Target, defaultPort?: number): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === defaultPort ? host : `${host}:${target.port}`;
}

/**
 * Maps a name to lower-case ASCII and drops one trailing dot, without reading it as an address. Returns undefined
 * where `canonicalHost` would, except that a numeric last label is let through.
 */
export function toAsciiName(raw: string): string | undefined {
  // Checked before mapping: the URL machinery behind domainToASCII would strip tabs and cut at '/', '?' or '#'.
  if (!/^[A-Za-z0-9._\-\u{80}-\u{10ffff}]+$/u.test(raw)) return undefined;
  const mapped = /^[\0-\x7f]*$/.test(raw) ? raw.toLowerCase() : domainToASCII(raw);
  const name = mapped.endsWith('.') ? mapped.slice(0, -1) : mapped;
  if (name.length === 0 || name.length > MAX_NAME || !/^[a-z0-9._-]+$/.test(name)) return undefined;
  const labels = name.split('.');
  // `--allow -- command` would take the dashes for a host.
  if (!/[a-z0-9]/.test(name)) return undefined;
  if (labels.some((label) => label.length === 0 || label.length > MAX_LABEL)) return undefined;
  // getaddrinfo's own IDN step would turn a broken A-label into the empty name; what is judged must be what is dialled.
  return labels.every(isSoundLabel) ? name : undefined;
}

/** Node 20 has no form for a broken A-label, Node 24 leaves it as it is: so it must also decode to what ASCII has not. */
function isSoundLabel(label: string): boolean {
  if (!label.startsWith('xn--')) return true;
  return domainToASCII(label) === label && /[^\0-\x7f]/.test(domainToUnicode(label));
}

function canonicalIpv6(text: string): string | undefined {
  const ip = text.includes(':') ? parseIp(text) : undefined;
  return ip === undefined ? undefined : formatIp(ip);
}

/** Node hands over header bytes as latin1; clients that send IDN raw send UTF-8. */
function decodeWire(text: string): string | undefined {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  if (text.length > MAX_RAW || /[^\0-\xff]/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return undefined;
  }
}
