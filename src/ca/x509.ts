import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import * as der from './der.ts';

/**
 * X.509 version 3 certificates (RFC 5280) signed with ECDSA and SHA-256 (RFC 5758). Written out by hand because
 * all that is needed is a hundred lines, and libraries that sign RSA only are of no use here.
 */

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** The longest common name that the standard allows, in characters (ub-common-name). */
export const MAX_COMMON_NAME = 64;

export interface CertificateSpec {
  /** DER names, as `commonName` makes them. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER SubjectPublicKeyInfo of the subject's key. */
  readonly publicKey: Buffer;
  readonly extensions: readonly Buffer[];
}

/** Makes and signs a certificate with a random serial number. Returns its DER. */
export function signCertificate(spec: CertificateSpec, key: KeyObject): Buffer {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const body = der.sequence(
    der.tlv(0xa0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    spec.issuer,
    der.sequence(der.time(spec.notBefore), der.time(spec.notAfter)),
    spec.subject,
    spec.publicKey,
    der.tlv(0xa3, der.sequence(...spec.extensions)),
  );
  return der.sequence(body, algorithm, der.bitString(sign('sha256', body, key)));
}

/** 126 random bits: positive, never zero, always of one length. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** A DER name with one common name, or the empty name where there is none or it is too long. */
export function commonName(name: string | undefined): Buffer {
  if (name === undefined || name === '' || [...name].length > MAX_COMMON_NAME) return der.sequence();
  const value = der.tlv(der.TAG.utf8String, Buffer.from(name, 'utf8'));
  return der.sequence(der.tlv(der.TAG.set, der.sequence(der.oid(OID.commonName), value)));
}

/** The extensions of an authority that may sign leaves only (path length 0). */
export function authorityExtensions(keyId: Buffer): Buffer[] {
  const isAuthority = der.tlv(der.TAG.boolean, Buffer.from([0xff]));
  return [
    extension(OID.basicConstraints, true, der.sequence(isAuthority, der.integer(Buffer.from([0])))),
    // keyCertSign and cRLSign: bits 5 and 6.
    extension(OID.keyUsage, true, der.bitString(Buffer.from([0x06]), 1)),
    extension(OID.subjectKeyIdentifier, false, der.octetString(keyId)),
  ];
}

export interface LeafExtensions {
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  /** The alternative name is critical where the subject is empty (RFC 5280, 4.2.1.6). */
  readonly subjectIsEmpty: boolean;
  readonly authorityKeyId: Buffer;
  readonly keyId: Buffer;
}

/** The extensions of a server's certificate. */
export function leafExtensions(leaf: LeafExtensions): Buffer[] {
  return [
    extension(OID.basicConstraints, true, der.sequence()),
    // digitalSignature: bit 0. An EC key does nothing else in TLS.
    extension(OID.keyUsage, true, der.bitString(Buffer.from([0x80]), 7)),
    extension(OID.extendedKeyUsage, false, der.sequence(der.oid(OID.serverAuth))),
    extension(OID.subjectKeyIdentifier, false, der.octetString(leaf.keyId)),
    extension(OID.authorityKeyIdentifier, false, der.sequence(der.tlv(0x80, leaf.authorityKeyId))),
    extension(OID.subjectAltName, leaf.subjectIsEmpty, der.sequence(...leaf.hosts.map(generalName))),
  ];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der.tlv(der.TAG.boolean, Buffer.from([0xff]))] : [];
  return der.sequence(der.oid(id), ...flag, der.octetString(value));
}

function generalName(host: string): Buffer {
  if (isIPv4(host)) return der.tlv(0x87, Buffer.from(host.split('.').map(Number)));
  if (isIPv6(host)) return der.tlv(0x87, ipv6Bytes(host));
  return der.tlv(0x82, Buffer.from(host, 'latin1'));
}

/** The 16 bytes of an IPv6 address; a zone (`%eth0`) is left out, since certificates have no place for it. */
function ipv6Bytes(address: string): Buffer {
  // The URL parser writes every spelling, also `::ffff:1.2.3.4`, as hexadecimal groups with one `::` at most.
  const text = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  const bytes = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  });
  return bytes;
}

/** Key identifier: SHA-1 over the public key's bits (RFC 5280, 4.2.1.2, method 1). Takes a DER SubjectPublicKeyInfo. */
export function keyIdentifier(publicKey: Buffer): Buffer {
  const [, bits] = der.elements(der.element(publicKey).content);
  if (bits === undefined) throw new RangeError('DER: not a public key');
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** The DER of a certificate's subject, and its own key identifier where it states one. */
export function subjectOf(certificate: Buffer): {
  readonly name: Buffer;
  readonly keyId: Buffer | undefined;
} {
  const [body] = der.elements(der.element(certificate).content);
  if (body === undefined) throw new RangeError('DER: not a certificate');
  const fields = der.elements(body.content);
  // Version 1 certificates leave out the field [0], and everything is one place earlier.
  const name = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (name === undefined) throw new RangeError('DER: not a certificate');
  const extensions = fields.find((field) => field.tag === 0xa3);
  return { name: name.bytes, keyId: extensions === undefined ? undefined : statedKeyId(extensions.content) };
}

function statedKeyId(extensions: Buffer): Buffer | undefined {
  const wanted = der.oid(OID.subjectKeyIdentifier);
  for (const { content } of der.elements(der.element(extensions).content)) {
    const [id, ...rest] = der.elements(content);
    const value = rest.at(-1);
    if (id?.bytes.equals(wanted) && value !== undefined) return der.element(value.content).content;
  }
  return undefined;
}
