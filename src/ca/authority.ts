import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { codeOf, GateError, messageOf } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';
import { toPem } from './pem.ts';
import { placeOnce, placeOver } from './place.ts';
import {
  authorityExtensions,
  commonName,
  keyIdentifier,
  MAX_COMMON_NAME,
  signCertificate,
  subjectOf,
} from './x509.ts';

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 3650;

/** The local certificate authority: what signs the leaves that gate shows to jailed clients. */
export interface Authority {
  readonly certPem: string;
  readonly cert: X509Certificate;
  /** DER of its subject: the issuer of its leaves, byte for byte. */
  readonly subject: Buffer;
  /** Its subject key identifier. */
  readonly keyId: Buffer;
  readonly key: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

type CaPaths = Pick<GatePaths, 'caDir' | 'caCert' | 'caKey'>;

/**
 * Reads the authority, and makes it on first use: EC P-256, ten years, key 0600 (PKCS #8), certificate 0644.
 * Safe when several processes do so at once: the first key wins, and any of them may certify it.
 * Throws GateErrors: `ca_unwritable`, `ca_unreadable`, `ca_key_missing`, `ca_key_exposed`, `ca_invalid`,
 * `ca_mismatch`, `ca_expired`.
 */
export function loadOrCreateAuthority(paths: CaPaths): Authority {
  const found = readText(paths.caCert);
  if (found === undefined) createMissing(paths);
  return openAuthority(paths, found ?? readText(paths.caCert));
}

/** Reads the authority without making one; undefined where there is none yet. Throws as `loadOrCreateAuthority`. */
export function loadAuthority(paths: CaPaths): Authority | undefined {
  const found = readText(paths.caCert);
  return found === undefined ? undefined : openAuthority(paths, found);
}

function openAuthority(paths: CaPaths, certPem: string | undefined): Authority {
  if (certPem === undefined)
    throw new GateError('ca_unreadable', `${paths.caCert} vanished while gate read it`);
  const key = readKey(paths);
  const cert = parseCertificate(paths.caCert, certPem);
  if (!cert.checkPrivateKey(key)) {
    throw new GateError('ca_mismatch', `${paths.caKey} is not the key of ${paths.caCert}`, REGENERATE);
  }
  const authority = describe(cert, key);
  const now = Date.now();
  if (now >= authority.notAfter.getTime()) {
    throw new GateError('ca_expired', `the local CA expired on ${cert.validTo}`, REGENERATE);
  }
  return authority;
}

const REGENERATE = { hint: 'gate ca regenerate' } as const;

function describe(cert: X509Certificate, key: KeyObject): Authority {
  const { name, keyId } = subjectOf(cert.raw);
  return {
    certPem: toPem('CERTIFICATE', cert.raw),
    cert,
    subject: name,
    keyId: keyId ?? keyIdentifier(spkiOf(cert.publicKey)),
    key,
    notBefore: new Date(cert.validFrom),
    notAfter: new Date(cert.validTo),
  };
}

function parseCertificate(path: string, pem: string): X509Certificate {
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(pem);
  } catch (cause) {
    throw new GateError('ca_invalid', `${path} is not a certificate: ${messageOf(cause)}`, {
      ...REGENERATE,
      cause,
    });
  }
  if (!cert.ca) throw new GateError('ca_invalid', `${path} is not the certificate of a CA`, REGENERATE);
  return cert;
}

function readKey(paths: CaPaths): KeyObject {
  const pem = readPrivate(paths);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new GateError('ca_invalid', `${paths.caKey} is not a private key: ${messageOf(cause)}`, {
      ...REGENERATE,
      cause,
    });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new GateError('ca_invalid', `${paths.caKey} is not an EC P-256 key`, REGENERATE);
  }
  return key;
}

/** Reads the key through one descriptor, so that the file that was checked is the file that is read. */
function readPrivate(paths: CaPaths): string {
  let fd: number;
  try {
    fd = openSync(paths.caKey, 'r');
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    throw new GateError(
      missing ? 'ca_key_missing' : 'ca_unreadable',
      missing
        ? `${paths.caCert} has lost its key ${paths.caKey}`
        : `cannot read ${paths.caKey}: ${messageOf(cause)}`,
      missing ? REGENERATE : { cause },
    );
  }
  try {
    const { mode, uid } = fstatSync(fd);
    const self = process.geteuid?.() ?? uid;
    if ((mode & 0o077) !== 0 || (uid !== self && self !== 0)) {
      throw new GateError('ca_key_exposed', `others may read or change the CA key ${paths.caKey}`, {
        hint: `gate doctor --auto-repair, or: chmod 600 ${paths.caKey}`,
      });
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a new authority in the place of whatever is there, and returns it. Gates that are running keep the one
 * that they started with. Throws a GateError `ca_unwritable`.
 */
export function regenerateAuthority(paths: CaPaths): Authority {
  const key = newKey();
  const certPem = selfSign(key);
  writing(paths, () => {
    // A start between these two finds that key and certificate do not belong together, and says so.
    placeOver(paths.caKey, pemOf(key), KEY_MODE);
    placeOver(paths.caCert, certPem, CERT_MODE);
  });
  return describe(parseCertificate(paths.caCert, certPem), key);
}

const KEY_MODE = 0o600;
const CERT_MODE = 0o644;

/** Makes what is not there yet. The certificate follows from the key, so a crash in between heals by itself. */
function createMissing(paths: CaPaths): void {
  writing(paths, () => {
    if (readText(paths.caKey) === undefined) placeOnce(paths.caKey, pemOf(newKey()), KEY_MODE);
    placeOnce(paths.caCert, selfSign(readKey(paths)), CERT_MODE);
  });
}

function writing(paths: CaPaths, write: () => void): void {
  try {
    mkdirSync(paths.caDir, { recursive: true, mode: 0o700 });
    write();
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw new GateError('ca_unwritable', `cannot make the local CA in ${paths.caDir}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function selfSign(key: KeyObject): string {
  const publicKey = spkiOf(createPublicKey(key));
  const name = commonName(authorityName());
  const notBefore = new Date(Date.now() - DAY_MS);
  const certificate = signCertificate(
    {
      issuer: name,
      subject: name,
      notBefore,
      notAfter: new Date(notBefore.getTime() + LIFETIME_DAYS * DAY_MS),
      publicKey,
      extensions: authorityExtensions(keyIdentifier(publicKey)),
    },
    key,
  );
  return toPem('CERTIFICATE', certificate);
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** `gate local CA (user@host)`, so that a person who meets it in a trust store knows whose it is. */
function authorityName(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A uid without an entry in passwd has no name.
    user = String(process.getuid?.() ?? 'user');
  }
  return [...`gate local CA (${user}@${hostname()})`].slice(0, MAX_COMMON_NAME).join('');
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new GateError('ca_unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
