import { createHash, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Authority, loadOrCreateAuthority } from '../../../src/ca/authority.ts';
import { type TrustView, trustView, writeTrustFiles } from '../../../src/ca/bundle.ts';
import { subjectHash } from '../../../src/ca/hash.ts';
import { writeKeyStore } from '../../../src/ca/jks.ts';
import { certificatesIn } from '../../../src/ca/pem.ts';
import type { TrustPlaces } from '../../../src/ca/places.ts';
import { type GatePaths, gatePaths } from '../../../src/core/paths.ts';
import { skipBecause } from '../../helpers/skips.ts';

let root: string;
let paths: GatePaths;
let authority: Authority;
let system: Authority;
let company: Authority;

const newAuthority = (name: string) =>
  loadOrCreateAuthority(gatePaths({ GATE_HOME: join(root, 'homes', name) }));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gate-trust-'));
  paths = gatePaths({ GATE_HOME: join(root, 'homes/gate') });
  authority = newAuthority('gate');
  system = newAuthority('system');
  company = newAuthority('company');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function place(path: string, content: string | Buffer): string {
  const full = join(root, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function link(target: string, path: string): string {
  const full = join(root, path);
  mkdirSync(join(full, '..'), { recursive: true });
  symlinkSync(target, full);
  return full;
}

function view(places: Partial<TrustPlaces>, env: NodeJS.ProcessEnv = {}): TrustView {
  const all = { bundles: [], hashFolders: [], keyStores: [], ...places };
  return trustView({ authority, caDir: paths.caDir, env, places: all, browsers: [] });
}

function laid(trust: TrustView): Record<string, string | Buffer> {
  return Object.fromEntries(
    trust.overlays.flatMap(({ folder, files }) =>
      files.map(({ name, content }) => [join(folder, name).slice(root.length + 1), content]),
    ),
  );
}

const names = (pem: string | Buffer | undefined) =>
  certificatesIn(String(pem)).map((block) => new X509Certificate(block).fingerprint256);

describe('Debian’s way', () => {
  test('one overlay holds the bundle, the hash link and the key store', () => {
    place('etc/ssl/certs/ca-certificates.crt', `# comment\n${system.certPem}`);
    place('etc/ssl/certs/java/cacerts', writeKeyStore([{ alias: 'system', certificate: system.cert.raw }]));
    const trust = view({
      bundles: [join(root, 'etc/ssl/certs/ca-certificates.crt')],
      hashFolders: [join(root, 'etc/ssl/certs')],
      keyStores: [join(root, 'etc/ssl/certs/java/cacerts')],
    });
    expect(trust.overlays).toHaveLength(1);
    const files = laid(trust);
    expect(Object.keys(files).sort()).toEqual([
      `etc/ssl/certs/${subjectHash(authority.cert.raw)}.0`,
      'etc/ssl/certs/ca-certificates.crt',
      'etc/ssl/certs/java/cacerts',
    ]);
    const bundle = files['etc/ssl/certs/ca-certificates.crt'];
    expect(String(bundle)).toMatch(/^# comment\n/);
    expect(names(bundle)).toEqual([system.cert.fingerprint256, authority.cert.fingerprint256]);
  });

  test('a hash link of another certificate is left alone', () => {
    const hash = subjectHash(authority.cert.raw);
    place(`etc/ssl/certs/${hash}.0`, system.certPem);
    place(`etc/ssl/certs/${hash}.1`, system.certPem);
    expect(Object.keys(laid(view({ hashFolders: [join(root, 'etc/ssl/certs')] })))).toEqual([
      `etc/ssl/certs/${hash}.2`,
    ]);
  });
});

describe('Fedora’s way', () => {
  test('links are followed, and one file behind several of them is laid over once', () => {
    place('etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', system.certPem);
    const trust = view({
      bundles: [
        link('../../ca-trust/extracted/pem/tls-ca-bundle.pem', 'etc/pki/tls/certs/ca-bundle.crt'),
        link('../ca-trust/extracted/pem/tls-ca-bundle.pem', 'etc/pki/tls/cert.pem'),
        join(root, 'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'),
        join(root, 'etc/absent.pem'),
      ],
      hashFolders: [join(root, 'etc/pki/tls/certs'), link('../pki/tls/certs', 'etc/ssl/certs')],
    });
    expect(Object.keys(laid(trust)).sort()).toEqual([
      'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
      `etc/pki/tls/certs/${subjectHash(authority.cert.raw)}.0`,
    ]);
  });
});

describe('arranging overlays', () => {
  test('an inner folder goes into the overlay of the outer one', () => {
    place('etc/ssl/cert.pem', system.certPem);
    place('etc/ssl/certs/ca-certificates.crt', system.certPem);
    const trust = view({
      bundles: [join(root, 'etc/ssl/certs/ca-certificates.crt'), join(root, 'etc/ssl/cert.pem')],
    });
    expect(trust.overlays.map(({ folder }) => folder)).toEqual([join(root, 'etc/ssl')]);
    expect(trust.overlays[0]?.files.map(({ name }) => name).sort()).toEqual([
      'cert.pem',
      'certs/ca-certificates.crt',
    ]);
  });

  test('a folder whose name merely begins alike is not an inner one', () => {
    place('etc/ssl/a.pem', system.certPem);
    place('etc/ssl2/b.pem', system.certPem);
    const trust = view({ bundles: [join(root, 'etc/ssl/a.pem'), join(root, 'etc/ssl2/b.pem')] });
    expect(trust.overlays).toHaveLength(2);
  });
});

describe('the combined files', () => {
  test('hold the system’s, the user’s and gate’s certificates, each once', () => {
    const bundle = place('system.pem', system.certPem);
    const extra = place('company.pem', `${company.certPem}${system.certPem}`);
    const trust = view(
      { bundles: [bundle] },
      { NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: extra, PIP_CERT: '/absent' },
    );
    expect(trust.cover.folder).toBe(paths.caDir);
    const [ca, combined, added] = ['ca.pem', 'bundle.pem', 'extra.pem'].map(
      (name) => trust.cover.files.find((file) => file.name === name)?.content,
    );
    expect(names(ca)).toEqual([authority.cert.fingerprint256]);
    expect(names(combined)).toEqual([system, company, authority].map(({ cert }) => cert.fingerprint256));
    expect(names(added)).toEqual([authority, company].map(({ cert }) => cert.fingerprint256));
    expect(trust.paths).toEqual({
      ca: paths.caCert,
      bundle: join(paths.caDir, 'bundle.pem'),
      extra: join(paths.caDir, 'extra.pem'),
    });
  });

  test('take in the user’s folders of certificates', () => {
    place('certs/one.pem', company.certPem);
    place('certs/README', system.certPem);
    const trust = view({}, { SSL_CERT_DIR: `${join(root, 'certs')}:/absent` });
    expect(names(trust.cover.files[2]?.content)).toEqual(
      [authority, company].map(({ cert }) => cert.fingerprint256),
    );
  });

  test('do without what cannot be read', () => {
    const block = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const broken = place('broken.pem', `${block('!!!')}${block('AAAA')}`);
    mkdirSync(join(root, 'folder.pem'));
    const trust = view(
      {},
      { SSL_CERT_FILE: broken, PIP_CERT: join(root, 'folder.pem'), AWS_CA_BUNDLE: '/dev/zero' },
    );
    expect(names(trust.cover.files[1]?.content)).toEqual([authority.cert.fingerprint256]);
  });
});

test('the combined files can be written where nothing can be mounted', () => {
  const folder = join(root, 'run');
  mkdirSync(folder);
  const trust = view({});
  writeTrustFiles(trust, folder);
  const paths = writeTrustFiles(trust, folder);
  expect(names(readFileSync(paths.bundle))).toEqual([authority.cert.fingerprint256]);
  expect(readdirSync(folder).sort()).toEqual(['bundle.pem', 'ca.pem', 'extra.pem']);
});

describe('Java’s stores', () => {
  const digestOf = (store: Buffer) =>
    createHash('sha1')
      .update(Buffer.from('changeit', 'utf16le').swap16())
      .update('Mighty Aphrodite')
      .update(store.subarray(0, -20))
      .digest('hex');

  test('keep their entries and get one more', () => {
    const store = writeKeyStore([{ alias: 'system', certificate: system.cert.raw }]);
    const path = place('java/lib/security/cacerts', store);
    const written = laid(view({ keyStores: [path] }))['java/lib/security/cacerts'];
    const bytes = Buffer.from(written ?? '');
    expect(bytes.readUInt32BE(8)).toBe(2);
    expect(bytes.includes(system.cert.raw)).toBe(true);
    expect(bytes.includes(authority.cert.raw)).toBe(true);
    expect(bytes.subarray(-20).toString('hex')).toBe(digestOf(bytes));
  });

  test('are written anew from the system’s certificates where they are of another format', () => {
    const bundle = place('system/certs/system.pem', system.certPem);
    const path = place('java/lib/security/cacerts', Buffer.from('3082010002010330', 'hex'));
    const written = laid(view({ bundles: [bundle], keyStores: [path] }))['java/lib/security/cacerts'];
    const bytes = Buffer.from(written ?? '');
    expect(bytes.readUInt32BE(0)).toBe(0xfeedfeed);
    expect(bytes.readUInt32BE(8)).toBe(2);
    expect(bytes.includes(system.cert.raw)).toBe(true);
  });

  const reads = process.getuid?.() === 0 && 'root can read any file';
  test('are left out where they cannot be read', skipBecause(reads), () => {
    const path = place('java/lib/security/cacerts', writeKeyStore([]));
    chmodSync(path, 0);
    expect(view({ keyStores: [path] }).overlays).toEqual([]);
  });
});
