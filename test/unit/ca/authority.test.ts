import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadAuthority, loadOrCreateAuthority, regenerateAuthority } from '../../../src/ca/authority.ts';
import { toPem } from '../../../src/ca/pem.ts';
import { authorityExtensions, commonName, keyIdentifier, signCertificate } from '../../../src/ca/x509.ts';
import { GateError } from '../../../src/core/errors.ts';
import { type GatePaths, gatePaths } from '../../../src/core/paths.ts';

let home: string;
let paths: GatePaths;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-ca-'));
  paths = gatePaths({ GATE_HOME: home });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function failure(): GateError {
  try {
    loadOrCreateAuthority(paths);
  } catch (error) {
    if (error instanceof GateError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function selfSigned(notAfter: Date): { cert: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = commonName('another CA');
  const der = signCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: new Date(Date.now() - 10 * 86_400_000),
      notAfter,
      publicKey: spki,
      extensions: authorityExtensions(keyIdentifier(spki)),
    },
    privateKey,
  );
  return {
    cert: toPem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

describe('the local CA', () => {
  test('is made on first use, with the promised form and permissions', () => {
    const authority = loadOrCreateAuthority(paths);
    const cert = new X509Certificate(readFileSync(paths.caCert));
    expect(cert.subject).toMatch(/^CN=gate local CA \(.+@.+\)$/);
    expect(cert.ca).toBe(true);
    expect(cert.verify(cert.publicKey)).toBe(true);
    const years = (Date.parse(cert.validTo) - Date.parse(cert.validFrom)) / 86_400_000 / 365;
    expect(years).toBeCloseTo(10, 1);
    expect(Date.parse(cert.validFrom)).toBeLessThan(Date.now() - 3_600_000);
    expect(statSync(paths.caDir).mode & 0o777).toBe(0o700);
    expect(statSync(paths.caKey).mode & 0o777).toBe(0o600);
    expect(statSync(paths.caCert).mode & 0o777).toBe(0o644);
    expect(readFileSync(paths.caKey, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(authority.cert.fingerprint256).toBe(cert.fingerprint256);
    expect(readdirSync(paths.caDir).sort()).toEqual(['ca.key', 'ca.pem']);
  });

  test('is the same at the second use', () => {
    const first = loadOrCreateAuthority(paths);
    expect(loadOrCreateAuthority(paths).cert.fingerprint256).toBe(first.cert.fingerprint256);
    expect(loadAuthority(paths)?.cert.fingerprint256).toBe(first.cert.fingerprint256);
  });

  test('is not made by a mere reader', () => {
    expect(loadAuthority(paths)).toBeUndefined();
  });

  test('gets a certificate for a key whose maker was killed before that', () => {
    const first = loadOrCreateAuthority(paths);
    rmSync(paths.caCert);
    const second = loadOrCreateAuthority(paths);
    expect(second.cert.checkPrivateKey(first.key)).toBe(true);
  });

  test.each([0o640, 0o604, 0o660, 0o620])('refuses a key of mode %o', (mode) => {
    loadOrCreateAuthority(paths);
    chmodSync(paths.caKey, mode);
    const error = failure();
    expect(error.code).toBe('ca_key_exposed');
    expect(error.hint).toContain('gate doctor');
  });

  test('refuses an exposed key also when it would certify it', () => {
    loadOrCreateAuthority(paths);
    rmSync(paths.caCert);
    chmodSync(paths.caKey, 0o644);
    expect(failure().code).toBe('ca_key_exposed');
  });

  test('refuses a key that is not the certificate’s', () => {
    loadOrCreateAuthority(paths);
    writeFileSync(paths.caKey, selfSigned(new Date(Date.now() + 86_400_000)).key);
    expect(failure()).toMatchObject({ code: 'ca_mismatch', hint: 'gate ca regenerate' });
  });

  test('refuses an expired certificate', () => {
    loadOrCreateAuthority(paths);
    const expired = selfSigned(new Date(Date.now() - 1000));
    writeFileSync(paths.caKey, expired.key);
    writeFileSync(paths.caCert, expired.cert);
    expect(failure()).toMatchObject({ code: 'ca_expired', hint: 'gate ca regenerate' });
  });

  test('says when the key is gone', () => {
    loadOrCreateAuthority(paths);
    rmSync(paths.caKey);
    expect(failure()).toMatchObject({ code: 'ca_key_missing', hint: 'gate ca regenerate' });
  });

  test.each(['caKey', 'caCert'] as const)('says when %s is damaged', (which) => {
    loadOrCreateAuthority(paths);
    writeFileSync(paths[which], 'garbage\n');
    expect(failure()).toMatchObject({ code: 'ca_invalid', hint: 'gate ca regenerate' });
  });

  test('refuses keys of other kinds', () => {
    loadOrCreateAuthority(paths);
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(paths.caKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(failure().code).toBe('ca_invalid');
  });

  test('says when its folder cannot be made', () => {
    writeFileSync(paths.config, '');
    expect(failure()).toMatchObject({ code: expect.stringMatching(/^ca_un(writ|read)able$/), exitCode: 125 });
  });

  test('can be made anew, over anything', () => {
    const first = loadOrCreateAuthority(paths);
    writeFileSync(paths.caKey, 'garbage');
    chmodSync(paths.caKey, 0o666);
    const second = regenerateAuthority(paths);
    expect(second.cert.fingerprint256).not.toBe(first.cert.fingerprint256);
    expect(loadOrCreateAuthority(paths).cert.fingerprint256).toBe(second.cert.fingerprint256);
    expect(statSync(paths.caKey).mode & 0o777).toBe(0o600);
    expect(readdirSync(paths.caDir).sort()).toEqual(['ca.key', 'ca.pem']);
  });
});
