import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { GateError } from '../core/errors.ts';
import type { Authority } from './authority.ts';
import { toPem } from './pem.ts';
import { commonName, keyIdentifier, leafExtensions, signCertificate } from './x509.ts';

const DAY_MS = 86_400_000;
/** Clocks in containers and virtual machines lag; two days cover what NTP would not have to step. */
const BACKDATED_DAYS = 2;
/** Browsers refuse more than 398 days; counted from the backdated start. */
const LIFETIME_DAYS = 397;
const DEFAULT_CACHE_SIZE = 1000;

export interface LeafIssuerOptions {
  /** Contexts kept, least recently used first out. Default 1000. */
  readonly cacheSize?: number;
  /** Oldest protocol offered to clients. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Gives servers of gate a certificate for whatever host a client asked for. */
export interface LeafIssuer {
  /**
   * The TLS context with a certificate for a host: a DNS name in ASCII, or an IP address without brackets.
   * Throws a GateError `bad_host` for what cannot stand in a certificate.
   */
  contextFor(host: string): SecureContext;
  /** The PEM of a new certificate for a host, made as for `contextFor` but not kept. */
  certificateFor(host: string): string;
}

/** Makes the issuer of leaves: one EC P-256 key in memory for all of them, and a bounded cache of contexts. */
export function createLeafIssuer(authority: Authority, options: LeafIssuerOptions = {}): LeafIssuer {
  const { cacheSize = DEFAULT_CACHE_SIZE, minVersion = 'TLSv1.2' } = options;
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ type: 'sec1', format: 'pem' });
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' });
  const cache = new Map<string, SecureContext>();

  const contextFor = (host: string): SecureContext => {
    const name = certifiable(host);
    const kept = cache.get(name);
    const context =
      kept ??
      // `ca: []`: gate asks clients for no certificate, and Node would otherwise load all its roots.
      createSecureContext({ cert: sign(authority, name, publicKey), key, ca: [], minVersion });
    cache.delete(name);
    cache.set(name, context);
    const [oldest] = cache.keys();
    if (cache.size > cacheSize && oldest !== undefined) cache.delete(oldest);
    return context;
  };

  return { contextFor, certificateFor: (host) => sign(authority, certifiable(host), publicKey) };
}

/** A service of this machine is one host by each of its names: clients check for the one that they typed. */
const LOCALHOST = ['localhost', '127.0.0.1', '::1'];

/** A leaf for a host, as PEM. Where the name is too long for a subject, the subject is empty. */
function sign(authority: Authority, host: string, publicKey: Buffer): string {
  const subject = commonName(host);
  const extensions = leafExtensions({
    hosts: host === 'localhost' ? LOCALHOST : [host],
    subjectIsEmpty: subject.equals(commonName(undefined)),
    authorityKeyId: authority.keyId,
    keyId: keyIdentifier(publicKey),
  });
  const names = { issuer: authority.subject, subject };
  const spec = { ...names, ...validity(authority), publicKey, extensions };
  return toPem('CERTIFICATE', signCertificate(spec, authority.key));
}

/** Not before and not after: the leaf stays within the authority's own time. */
function validity(authority: Authority): { notBefore: Date; notAfter: Date } {
  const start = Math.max(Date.now() - BACKDATED_DAYS * DAY_MS, authority.notBefore.getTime());
  const end = Math.min(start + LIFETIME_DAYS * DAY_MS, authority.notAfter.getTime());
  return { notBefore: new Date(start), notAfter: new Date(end) };
}

/** Underscores are not for host names, but are in use; 253 is the longest name DNS can carry. */
const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;

function certifiable(host: string): string {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (isIP(name) !== 0) return name;
  if (name.length > 253 || !NAME.test(name)) {
    throw new GateError('bad_host', `no certificate can be made for '${host.slice(0, 300)}'`);
  }
  return name.toLowerCase();
}
