import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, rootCertificates, type SecureContext } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Authority, loadOrCreateAuthority } from '../../../src/ca/authority.ts';
import { createLeafIssuer } from '../../../src/ca/leaf.ts';
import { createUpstreamContext, upstreamTrust } from '../../../src/ca/upstream.ts';
import { gatePaths } from '../../../src/core/paths.ts';

let home: string;
let authority: Authority;
let file: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-upstream-'));
  authority = loadOrCreateAuthority(gatePaths({ GATE_HOME: home }));
  file = join(home, 'company.pem');
  writeFileSync(file, authority.certPem);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const ours = (list: readonly string[]) =>
  list.filter((pem) => pem.trim() === authority.certPem.trim()).length;

/** Whether a client with this context accepts a server with a leaf of `authority`. */
async function accepts(context: SecureContext): Promise<boolean> {
  const leaf = createLeafIssuer(authority).contextFor('upstream.test');
  const server = createServer({ SNICallback: (_name, done) => done(null, leaf) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<boolean>((resolve) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'upstream.test',
        secureContext: context,
      });
      socket.once('secureConnect', () => resolve(socket.authorized));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('secureConnect', () => socket.end());
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('what upstream connections trust', () => {
  test('includes Node’s roots, once', () => {
    const list = upstreamTrust({}, []);
    const bodies = list.map((pem) => pem.replace(/\s/g, ''));
    expect(new Set(bodies).size).toBe(bodies.length);
    const [root = ''] = rootCertificates;
    expect(bodies).toContain(root.replace(/\s/g, ''));
  });

  test('includes what the user’s variables name, once', () => {
    expect(ours(upstreamTrust({ REQUESTS_CA_BUNDLE: file, GIT_SSL_CAINFO: file }, [file]))).toBe(1);
    expect(ours(upstreamTrust({ SSL_CERT_DIR: home }, []))).toBe(1);
    expect(ours(upstreamTrust({ SSL_CERT_FILE: join(home, 'absent') }, []))).toBe(0);
  });

  test('is used: a server of an unknown CA is refused, of a named one accepted', async () => {
    expect(await accepts(createUpstreamContext({}, [])())).toBe(false);
    expect(await accepts(createUpstreamContext({}, [file])())).toBe(true);
    expect(await accepts(createUpstreamContext({ CURL_CA_BUNDLE: file }, [])())).toBe(true);
  });

  test('a certificate that cannot be parsed takes none of the others away', async () => {
    const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    writeFileSync(file, `${bad}${authority.certPem}`);
    expect(await accepts(createUpstreamContext({ CURL_CA_BUNDLE: file }, [])())).toBe(true);
  });

  test('the context is made once', () => {
    const context = createUpstreamContext({}, []);
    expect(context()).toBe(context());
  });
});

describe('--upstream-ca', () => {
  test.each([
    ['absent', undefined],
    ['empty', ''],
    ['text', 'hello'],
    ['damaged', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('%s is wrong usage, told at once', (name, content) => {
    const path = join(home, name);
    if (content !== undefined) writeFileSync(path, content);
    expect(() => createUpstreamContext({}, [path])).toThrowError(
      expect.objectContaining({ code: 'bad_upstream_ca', exitCode: 2 }),
    );
  });
});
