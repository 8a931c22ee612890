import { createHash } from 'node:crypto';

/**
 * Java's own key store format, JKS version 2: magic, version, count, entries, and a SHA-1 over the password, a
 * phrase and everything before it. Java reads it also where it expects PKCS #12 (`keystore.type.compat`, on by
 * default since 8u60), so one writer serves every version.
 */

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const HEADER_BYTES = 12;
const DIGEST_BYTES = 20;
const TRUSTED_CERTIFICATE = 2;
/** The password of every `cacerts`; Java itself opens them without checking it. */
const PASSWORD = 'changeit';
const PHRASE = 'Mighty Aphrodite';

export interface TrustedEntry {
  /** Lower case, unique in the store. */
  readonly alias: string;
  /** The certificate's DER. */
  readonly certificate: Buffer;
}

/** A new key store that trusts these certificates, with the password `changeit`. */
export function writeKeyStore(trusted: readonly TrustedEntry[]): Buffer {
  return seal(trusted.length, trusted.map(entry));
}

/**
 * A key store with one more trusted certificate: everything in it stays as it is. Returns undefined where
 * `store` is in another format. Throws nothing for damaged stores: Java will say so, as it did before.
 */
export function addToKeyStore(store: Buffer, added: TrustedEntry): Buffer | undefined {
  if (store.length < HEADER_BYTES + DIGEST_BYTES) return undefined;
  if (store.readUInt32BE(0) !== MAGIC || store.readUInt32BE(4) !== VERSION) return undefined;
  const kept = store.subarray(HEADER_BYTES, store.length - DIGEST_BYTES);
  return seal(store.readUInt32BE(8) + 1, [kept, entry(added)]);
}

function seal(count: number, entries: readonly Buffer[]): Buffer {
  const head = Buffer.concat([u32(MAGIC), u32(VERSION), u32(count)]);
  const body = Buffer.concat([head, ...entries]);
  // Java's characters are UTF-16, big-endian; the phrase is bytes.
  const password = Buffer.from(PASSWORD, 'utf16le').swap16();
  const digest = createHash('sha1').update(password).update(PHRASE, 'latin1').update(body).digest();
  return Buffer.concat([body, digest]);
}

function entry({ alias, certificate }: TrustedEntry): Buffer {
  return Buffer.concat([
    u32(TRUSTED_CERTIFICATE),
    utf(alias),
    // The time of creation, in milliseconds: zero, so that equal input makes an equal file.
    Buffer.alloc(8),
    utf('X.509'),
    u32(certificate.length),
    certificate,
  ]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Java's `writeUTF`: two bytes of length, then the text; the aliases here are ASCII. */
function utf(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
