import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import tls from 'node:tls';
import forge from 'node-forge';

/** A certificate authority made for one test run, and what it has signed. */
export interface TestAuthority {
  /** PEM of the root. */
  readonly ca: string;
  /** PEM of the root's key: for a proxy that signs its own leaves. */
  readonly caKey: string;
  /** Key and certificate (PEM) for these names. */
  issue(names: readonly string[], options?: Validity): { key: string; cert: string };
  /** The same as a context, cached by host: stands in for src/ca. */
  contextFor(host: string): tls.SecureContext;
}

/** When a certificate counts: now, unless it is to be of no use yet or any more. */
export interface Validity {
  readonly expired?: boolean;
  readonly early?: boolean;
}

const DAY = 24 * 3600 * 1000;

function newKey(): { pem: string; private: forge.pki.rsa.PrivateKey; public: forge.pki.rsa.PublicKey } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const key = forge.pki.privateKeyFromPem(pem);
  return { pem, private: key, public: forge.pki.rsa.setPublicKey(key.n, key.e) };
}

/** Makes a root; every leaf shares one key, so that a new host costs one signature. */
export function createTestAuthority(name = 'test root'): TestAuthority {
  const root = newKey();
  const leaf = newKey();
  const subject = [{ name: 'commonName', value: name }];
  const cert = forge.pki.createCertificate();
  let serial = 1;
  cert.publicKey = root.public;
  cert.serialNumber = '01';
  cert.validity.notBefore = new Date(Date.now() - DAY);
  cert.validity.notAfter = new Date(Date.now() + 30 * DAY);
  cert.setSubject(subject);
  cert.setIssuer(subject);
  cert.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, critical: true },
  ]);
  cert.sign(root.private, forge.md.sha256.create());
  const ca = forge.pki.certificateToPem(cert);

  const issue: TestAuthority['issue'] = (names, options = {}) => {
    const made = forge.pki.createCertificate();
    serial += 1;
    made.publicKey = leaf.public;
    made.serialNumber = `10${serial.toString(16).padStart(4, '0')}`;
    made.validity.notBefore = new Date(Date.now() + (options.early === true ? DAY : -2 * DAY));
    made.validity.notAfter = new Date(Date.now() + (options.expired === true ? -DAY : 10 * DAY));
    made.setSubject([{ name: 'commonName', value: names[0] ?? 'none' }]);
    made.setIssuer(subject);
    made.setExtensions([altNamesOf(names)]);
    made.sign(root.private, forge.md.sha256.create());
    return { key: leaf.pem, cert: forge.pki.certificateToPem(made) };
  };

  const contexts = new Map<string, tls.SecureContext>();
  const contextFor: TestAuthority['contextFor'] = (host) => {
    let context = contexts.get(host);
    if (context === undefined) {
      context = tls.createSecureContext(issue([host]));
      contexts.set(host, context);
    }
    return context;
  };
  return { ca, caKey: root.pem, issue, contextFor };
}

/** A certificate for these names that nobody but itself has signed. */
export function selfSigned(names: readonly string[]): { key: string; cert: string } {
  const key = newKey();
  const subject = [{ name: 'commonName', value: names[0] ?? 'none' }];
  const made = forge.pki.createCertificate();
  made.publicKey = key.public;
  made.serialNumber = '01';
  made.validity.notBefore = new Date(Date.now() - DAY);
  made.validity.notAfter = new Date(Date.now() + 10 * DAY);
  made.setSubject(subject);
  made.setIssuer(subject);
  made.setExtensions([altNamesOf(names)]);
  made.sign(key.private, forge.md.sha256.create());
  return { key: key.pem, cert: forge.pki.certificateToPem(made) };
}

function altNamesOf(names: readonly string[]): object {
  const altNames = names.map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host }));
  return { name: 'subjectAltName', altNames };
}
