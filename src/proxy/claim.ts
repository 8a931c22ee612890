import { isIPv6 } from 'node:net';
import type { HeaderList } from '../core/headers.ts';
import type { Via } from '../core/outcome.ts';
import { canonicalHost, isIpLiteral, splitHostPort } from '../policy/host.ts';
import { valuesOf } from './http1/framing.ts';

/** How a stretch of HTTP reached gate: what the layers below it say about where it wants to go. */
export interface Hop {
  readonly via: Via;
  readonly scheme: 'http' | 'https';
  /** The port that was dialled or CONNECTed to; undefined on the proxy's own port, where each URL says it. */
  readonly port: number | undefined;
  /** Captured connections: the address that was dialled. */
  readonly address: string | undefined;
  /** The CONNECT target, or the name that gate's DNS gave the address for. Canonical. */
  readonly name: string | undefined;
  /** Canonical; undefined when the ClientHello named none. */
  readonly sni: string | undefined;
  /** The ClientHello named something that is no host. */
  readonly badSni: boolean;
  /** What each request on the proxy's own port must present; what comes inside a CONNECT has presented it. */
  readonly password?: string;
}

/** Where a request goes, or why that cannot be said. */
export type Claim =
  | { readonly ok: true; readonly host: string; readonly port: number }
  | {
      readonly ok: false;
      readonly reason: 'bad_host' | 'host_mismatch';
      readonly host: string;
      readonly port: number;
      readonly detail: string;
    };

export interface Spelled {
  readonly headers: HeaderList;
  /** The authority of an absolute URL, or `:authority`; undefined where there is none. */
  readonly authority: string | undefined;
  /** HTTP/1.0 clients may leave `Host` out. */
  readonly hostRequired: boolean;
}

/** Gives the name that gate's own DNS handed an address out for. */
export interface Names {
  nameOf(address: string): string | undefined;
}

/** An address as sockets give it, without the v4-in-v6 prefix that dual-stack listeners add. */
export function formatAddress(address: string): string {
  return canonicalHost(address) ?? address;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/** The name for a dialled address, as far as gate knows it: its own DNS's, or `localhost` for a host service let in. */
export function nameOfAddress(address: string, names: Names): string | undefined {
  return LOOPBACK.has(address) ? 'localhost' : names.nameOf(address);
}

/** A host that is an address handed out by gate's DNS stands for the name it was handed out for. */
export function knownAs(host: string, names: Names): string {
  return isIpLiteral(host) ? (names.nameOf(host) ?? host) : host;
}

/**
 * Decides which host a request is for (docs/decision.md): every spelling of it (CONNECT target or DNS name, SNI, URL,
 * `Host`) must be canonical and all must agree.
 */
export function claimHost(hop: Hop, spelled: Spelled, names: Names): Claim {
  const fallbackPort = hop.port ?? (hop.scheme === 'https' ? 443 : 80);
  const hostFields = valuesOf(spelled.headers, 'host');
  const raw = spelled.authority ?? hostFields[0];
  const fail = (reason: 'bad_host' | 'host_mismatch', detail: string, host?: string): Claim => {
    return { ok: false, reason, host: host ?? hop.name ?? hop.sni ?? raw ?? '', port: fallbackPort, detail };
  };
  if (hostFields.length > 1) return fail('bad_host', 'more than one Host field');
  if (hop.badSni) return fail('bad_host', 'the TLS server name is no host');
  if (raw === undefined && spelled.hostRequired) return fail('bad_host', 'the Host field is missing');
  const url = readAuthority(spelled.authority, fallbackPort);
  const field = readAuthority(hostFields[0], fallbackPort);
  if (url === 'bad' || field === 'bad') return fail('bad_host', `'${raw}' is no host`);
  const spellings = [hop.name, url?.host, hop.sni, field?.host].filter((host) => host !== undefined);
  const host = agreed(spellings, hop, names);
  if (host === undefined) return fail('host_mismatch', `the request names ${spellings.join(', ')}`);
  if (host === '')
    return hop.address === undefined ? fail('bad_host', 'no host') : ok(hop.address, fallbackPort);
  // Only the proxy's own port takes the port from the URL; elsewhere it is the one that was dialled.
  return ok(host, hop.port ?? url?.port ?? fallbackPort);
}

function ok(host: string, port: number): Claim {
  return { ok: true, host, port };
}

function readAuthority(
  text: string | undefined,
  port: number,
): { host: string; port: number } | 'bad' | undefined {
  return text === undefined ? undefined : (splitHostPort(text, port) ?? 'bad');
}

/** The one host that all spellings mean; '' for no spelling, undefined when they differ. */
function agreed(spellings: readonly string[], hop: Hop, names: Names): string | undefined {
  let host = '';
  for (const spelling of spellings) {
    const known = hop.name === 'localhost' && LOOPBACK.has(spelling) ? 'localhost' : knownAs(spelling, names);
    if (host !== '' && known !== host) return undefined;
    host = known;
  }
  return host;
}

/** `host:port` as people type it: IPv6 in brackets, web ports left out. */
export function urlAuthority(host: string, port: number, defaultPort?: number): string {
  const shownHost = isIPv6(host) ? `[${host}]` : host;
  const plain = defaultPort === undefined ? port === 443 || port === 80 : port === defaultPort;
  return plain ? shownHost : `${shownHost}:${port}`;
}

/** The URL by the canonical host, default port left out. `path` is the origin-form target. */
export function urlOf(scheme: 'http' | 'https', host: string, port: number, path: string): string {
  const authority = urlAuthority(host, port, scheme === 'https' ? 443 : 80);
  return `${scheme}://${authority}${path.startsWith('/') ? '' : '/'}${path}`;
}
