import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, loadOrCreateAuthority } from '../../../src/ca/authority.ts';
import { type TrustView, trustView } from '../../../src/ca/bundle.ts';
import { subjectHash } from '../../../src/ca/hash.ts';
import { writeKeyStore } from '../../../src/ca/jks.ts';
import { createLeafIssuer, type LeafIssuer } from '../../../src/ca/leaf.ts';
import { derOf } from '../../../src/ca/pem.ts';
import { trustPlaces } from '../../../src/ca/places.ts';
import { gatePaths } from '../../../src/core/paths.ts';
import { skipBecause } from '../../helpers/skips.ts';

const run = promisify(execFile);

function has(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const openssl = has('openssl', 'version');
const keytool = has('keytool', '-help');
const java = has('java', '-version');
const curl = has('curl', '--version');
const python = has('python3', '--version');

let home: string;
let authority: Authority;
let issuer: LeafIssuer;
let view: TrustView;
let server: Server;
let port: number;

/** Writes what would be laid over the system into a folder: here the tools are pointed to it by hand. */
function writeView(): void {
  const folders = [
    view.cover,
    ...view.overlays.map((each) => ({ ...each, folder: join(home, 'laid', each.folder) })),
  ];
  for (const { folder, files } of folders) {
    for (const { name, content, mode } of files) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      writeFileSync(path, content, { mode });
    }
  }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'gate-tools-'));
  const paths = gatePaths({ GATE_HOME: home });
  authority = loadOrCreateAuthority(paths);
  issuer = createLeafIssuer(authority);
  view = trustView({ authority, caDir: paths.caDir, env: { PATH: process.env['PATH'] } });
  writeView();
  const byName = (name: string) => issuer.contextFor(name);
  server = createServer({ SNICallback: (name, done) => done(null, byName(name)) }, (_request, response) =>
    response.end('hello from gate'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

const HOST = 'api.gate-test.example';
const laid = (path: string) => join(home, 'laid', path);
const clean = () => ({ PATH: process.env['PATH'], HOME: home });

describe('openssl', skipBecause(!openssl && 'no openssl here'), () => {
  test.each([HOST, '127.0.0.1', '::1', `${'a'.repeat(63)}.${'b'.repeat(63)}.example`])(
    'verifies the leaf of %s by the strict rules',
    async (host) => {
      const leaf = join(home, 'leaf.pem');
      writeFileSync(leaf, issuer.certificateFor(host));
      const { stdout } = await run('openssl', [
        ...['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', view.paths.ca, leaf],
      ]);
      expect(stdout).toContain('leaf.pem: OK');
    },
  );

  test('computes the subject hash that gate does', async () => {
    const { stdout } = await run('openssl', ['x509', '-subject_hash', '-noout', '-in', view.paths.ca]);
    expect(subjectHash(authority.cert.raw)).toBe(stdout.trim());
  });

  test('would give every certificate of this system the hash that gate does', () => {
    const folder = '/etc/ssl/certs';
    const links = existsSync(folder)
      ? readdirSync(folder).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name))
      : [];
    for (const name of links) {
      const der = derOf(readFileSync(join(folder, name), 'latin1'));
      expect(der === undefined ? name.slice(0, 8) : subjectHash(der)).toBe(name.slice(0, 8));
    }
  });

  test.each([
    // Texts in other encodings and with odd spaces, which the canonical form evens out.
    ['utf8only', '/CN=  Gräte   ÄÖ  Ltd  /O=ACME'],
    ['default', '/C=DE/O=Acme  Inc/CN=UPPER lower'],
    ['pkix', '/CN=Ünïcode \u0416/emailAddress=A@B.C'],
    ['nombstr', '/CN=Straße/OU=x'],
    ['utf8only', '/O=One+OU=Two/CN=multi'],
  ])('agrees on names with string_mask %s: %s', async (mask, subject) => {
    const config = join(home, 'req.cnf');
    writeFileSync(config, `[req]\ndistinguished_name=dn\nstring_mask=${mask}\nutf8=yes\n[dn]\n`);
    const cert = join(home, 'odd.pem');
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8'],
      ...[
        '-multivalue-rdn',
        '-config',
        config,
        '-subj',
        subject,
        '-keyout',
        join(home, 'odd.key'),
        '-out',
        cert,
      ],
    ]);
    const { stdout } = await run('openssl', ['x509', '-subject_hash', '-noout', '-in', cert]);
    const der = derOf(readFileSync(cert, 'latin1'));
    expect(der && subjectHash(der)).toBe(stdout.trim());
  });

  test('finds gate by the hash link alone', async () => {
    const folders = view.overlays.filter(({ files }) => files.some(({ name }) => /\.\d$/.test(name)));
    for (const { folder } of folders) {
      const leaf = join(home, 'leaf.pem');
      writeFileSync(leaf, issuer.certificateFor(HOST));
      const args = ['verify', '-no-CAfile', '-no-CAstore', '-CApath', laid(folder), leaf];
      expect((await run('openssl', args)).stdout).toContain('OK');
    }
  });
});

describe('curl', skipBecause(!curl && 'no curl here'), () => {
  const get = (...args: string[]) =>
    run('curl', ['-sS', '--resolve', `${HOST}:${port}:127.0.0.1`, ...args, `https://${HOST}:${port}/`], {
      env: clean(),
    });

  test('refuses gate without its CA, and accepts it by the bundle', async () => {
    await expect(get()).rejects.toThrow(/certificate/);
    expect((await get('--cacert', view.paths.bundle)).stdout).toBe('hello from gate');
  });

  test('accepts gate by the file that is laid over the system’s', async () => {
    for (const path of trustPlaces({}).bundles.filter((each) => existsSync(laid(each)))) {
      expect((await get('--cacert', laid(path))).stdout).toBe('hello from gate');
    }
  });
});

describe('python', skipBecause(!python && 'no python3 here'), () => {
  const PROGRAM = `
import os, socket, ssl
context = ssl.create_default_context()
# The default from Python 3.13 on.
context.verify_flags |= ssl.VERIFY_X509_STRICT
raw = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
with context.wrap_socket(raw, server_hostname=os.environ["NAME"]) as tls:
    print(tls.version())
`;
  const connect = (extra: NodeJS.ProcessEnv) =>
    run('python3', ['-c', PROGRAM], { env: { ...clean(), PORT: String(port), NAME: HOST, ...extra } });

  test('refuses gate without its CA, and accepts it strictly by SSL_CERT_FILE', async () => {
    await expect(connect({})).rejects.toThrow(/CERTIFICATE_VERIFY_FAILED/);
    expect((await connect({ SSL_CERT_FILE: view.paths.bundle })).stdout).toContain('TLSv1.3');
  });
});

describe('node', () => {
  const PROGRAM = `
    require('node:https').get({ host: '127.0.0.1', port: process.env.PORT, servername: process.env.NAME },
      (response) => response.pipe(process.stdout)).on('error', (error) => { console.error(error.code); process.exit(1); });
  `;
  const get = (extra: NodeJS.ProcessEnv) =>
    run(process.execPath, ['-e', PROGRAM], { env: { ...clean(), PORT: String(port), NAME: HOST, ...extra } });

  test('refuses gate without its CA, and accepts it by NODE_EXTRA_CA_CERTS', async () => {
    await expect(get({})).rejects.toThrow(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
    expect((await get({ NODE_EXTRA_CA_CERTS: view.paths.extra })).stdout).toBe('hello from gate');
  });
});

describe('java', skipBecause(!(keytool && java) && 'no java or no keytool here'), () => {
  const PROGRAM = `
import java.net.URL;
public class Client {
  public static void main(String[] args) throws Exception {
    System.out.print(new String(new URL(args[0]).openStream().readAllBytes()));
  }
}
`;
  const get = async (store: string) => {
    const source = join(home, 'Client.java');
    writeFileSync(source, PROGRAM);
    writeFileSync(join(home, 'hosts'), `127.0.0.1 ${HOST}\n`);
    const { stdout } = await run('java', [
      ...[`-Djdk.net.hosts.file=${join(home, 'hosts')}`, `-Djavax.net.ssl.trustStore=${store}`],
      ...[source, `https://${HOST}:${port}/`],
    ]);
    return stdout;
  };

  test('lists the store with its password, gate’s entry in it', async () => {
    const store = join(home, 'fresh.jks');
    writeFileSync(store, writeKeyStore([{ alias: 'gate-local-ca', certificate: authority.cert.raw }]));
    const { stdout } = await run('keytool', ['-list', '-keystore', store, '-storepass', 'changeit']);
    expect(stdout).toContain('gate-local-ca');
    await expect(run('keytool', ['-list', '-keystore', store, '-storepass', 'wrong1'])).rejects.toThrow();
  });

  test('connects by the key store that is laid over the system’s', async () => {
    const stores = trustPlaces({ PATH: process.env['PATH'] }).keyStores.filter((path) =>
      existsSync(laid(path)),
    );
    for (const path of stores) {
      await expect(get(path)).rejects.toThrow(/PKIX/);
      expect(await get(laid(path))).toBe('hello from gate');
    }
  });
});
