import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf, GateError, messageOf } from '../core/errors.ts';

/** What a person can compare: the local CA's certificate, without its key. */
export interface AuthorityFacts {
  readonly subject: string;
  /** SHA-256 of the DER, upper-case hex in pairs with colons, as browsers and openssl show it. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly path: string;
}

/**
 * Reads the certificate alone, so that it can be shown where the key is missing, exposed or expired. Undefined where
 * there is none. Throws GateErrors `ca_unreadable`, `ca_invalid`.
 */
export function authorityFacts(path: string): AuthorityFacts | undefined {
  const pem = readText(path);
  if (pem === undefined) return undefined;
  try {
    const cert = new X509Certificate(pem);
    return {
      subject: cert.subject.replaceAll('\n', ', '),
      sha256: cert.fingerprint256,
      notBefore: new Date(cert.validFrom).toISOString(),
      notAfter: new Date(cert.validTo).toISOString(),
      path,
    };
  } catch (cause) {
    throw new GateError('ca_invalid', `${path} is not a certificate: ${messageOf(cause)}`, {
      hint: 'gate ca regenerate',
      cause,
    });
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new GateError('ca_unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
