import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../helpers/certs.ts';
import { createRig, type Rig, type RigOptions } from '../helpers/client-rig.ts';
import {
  type CorporateOptions,
  startCorporateProxy,
  type TestCorporateProxy,
} from '../helpers/corporate-proxy.ts';
import { answering, type Origin, ok, startOrigin } from '../helpers/origin.ts';

let gateCa: TestAuthority;
let originCa: TestAuthority;
let corporateCa: TestAuthority;
let cleanups: (() => Promise<void>)[] = [];

beforeAll(() => {
  gateCa = createTestAuthority('gate');
  originCa = createTestAuthority('origin');
  corporateCa = createTestAuthority('corporate');
});
afterEach(async () => {
  for (const stop of cleanups.reverse()) await stop();
  cleanups = [];
});

interface Scene {
  readonly rig: Rig;
  readonly proxy: TestCorporateProxy;
  readonly origin: Origin;
  /** Names that were looked up on this machine. */
  readonly lookedUp: string[];
}

async function scene(
  options: Partial<CorporateOptions> & {
    url?: (port: number) => string;
    trusted?: TestAuthority;
    rig?: Partial<RigOptions>;
    noProxy?: string;
    /** Addresses of names besides the proxy's. */
    addresses?: Readonly<Record<string, string>>;
  } = {},
): Promise<Scene> {
  const origin = await startOrigin(
    answering(({ head }) => ok(`origin ${head.split(' ')[1]}`)),
    { tls: { authority: originCa, names: ['far.test', 'near.test'] } },
  );
  const {
    url = (port: number) => `http://proxy.test:${port}`,
    trusted,
    rig: rigOptions,
    noProxy,
    ...corporate
  } = options;
  const proxy = await startCorporateProxy({ originPort: origin.port, ...corporate });
  const lookedUp: string[] = [];
  const known: Readonly<Record<string, string>> = { 'proxy.test': '127.0.0.1', ...options.addresses };
  const rig = createRig({
    gateCa,
    originCa: { ...originCa, ca: `${originCa.ca}${(trusted ?? corporateCa).ca}` },
    proxyEnv: { HTTPS_PROXY: url(proxy.port), http_proxy: url(proxy.port), NO_PROXY: noProxy ?? '' },
    resolveName: async (host) => {
      lookedUp.push(host);
      const address = known[host];
      if (address === undefined) throw new Error(`${host} is not known here`);
      return [address];
    },
    ...rigOptions,
  });
  cleanups.push(origin.stop, proxy.stop, rig.stop);
  return { rig, proxy, origin, lookedUp };
}

/** One HTTPS request of a client that uses gate's proxy; the answer as text. */
async function https(rig: Rig, host: string, path = '/'): Promise<string> {
  const outer = await rig.proxy();
  outer.send(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  await outer.saw('\r\n\r\n');
  const client = await outer.secure({ servername: host, ca: gateCa.ca });
  client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return client.over();
}

async function http(rig: Rig, url: string): Promise<string> {
  const client = await rig.proxy();
  client.send(`GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`);
  return client.over();
}

describe("gate's own connections through a corporate proxy", () => {
  // promise: env.read
  test('TLS goes by CONNECT, with credentials, and the name is looked up by the proxy alone', async () => {
    const { rig, proxy, lookedUp } = await scene({
      login: 'me:p@ss word',
      url: (port) => `http://me:p%40ss%20word@proxy.test:${port}`,
    });
    expect(await https(rig, 'far.test', '/one')).toContain('origin /one');
    expect(proxy.seen).toEqual(['CONNECT far.test:443']);
    expect(lookedUp).toEqual(['proxy.test']);
    const [exchange] = rig.recorder.exchanges;
    expect(exchange?.response).toMatchObject({
      upstream: { address: `http://proxy.test:${proxy.port}`, protocol: 'http/1.1' },
    });
    expect(exchange?.end?.timing).toMatchObject({ connectMs: expect.any(Number), tlsMs: expect.any(Number) });
    expect(JSON.stringify(rig.recorder.exchanges)).not.toContain('p@ss');
  });

  test('a proxy that is spoken to over TLS, with a certificate of its own CA', async () => {
    const { rig, proxy } = await scene({
      tls: { authority: corporateCa, name: 'proxy.test' },
      url: (port) => `https://proxy.test:${port}`,
    });
    expect(await https(rig, 'far.test', '/two')).toContain('origin /two');
    expect(proxy.seen).toEqual(['CONNECT far.test:443']);
    expect(await http(rig, 'http://far.test/plain')).toContain('proxied GET http://far.test/plain');
  });

  test('plain HTTP goes as a whole URL, and the proxy alone gets the credentials', async () => {
    const { rig, proxy, origin, lookedUp } = await scene({
      login: 'me:secret',
      url: (port) => `http://me:secret@proxy.test:${port}`,
    });
    expect(await http(rig, 'http://far.test:8080/a?b')).toContain('proxied GET http://far.test:8080/a?b');
    expect(proxy.fields()).toMatchObject({ host: 'far.test:8080' });
    expect(lookedUp).toEqual(['proxy.test']);
    await https(rig, 'far.test');
    expect(origin.received()).not.toMatch(/proxy-authorization/i);
  });

  test('a tunnel of the passthrough list goes by CONNECT', async () => {
    const { rig, proxy } = await scene({ rig: { passthrough: ['far.test:443'] } });
    const outer = await rig.proxy();
    outer.send('CONNECT far.test:443 HTTP/1.1\r\n\r\n');
    await outer.saw('\r\n\r\n');
    const client = await outer.secure({ servername: 'far.test', ca: originCa.ca });
    client.send('GET /raw HTTP/1.1\r\nHost: far.test\r\n\r\n');
    await client.saw('origin /raw');
    client.destroy();
    expect(proxy.seen).toEqual(['CONNECT far.test:443']);
  });
});

describe('what is not sent through it', () => {
  // promise: decide.enforce
  test('a denied name is neither looked up nor told to the proxy', async () => {
    const { rig, proxy, lookedUp } = await scene({ rig: { deny: ['bad.test'] } });
    expect(await https(rig, 'bad.test')).toContain('x-gate-block: denylisted');
    expect(await http(rig, 'http://bad.test/')).toContain('x-gate-block: denylisted');
    expect(proxy.seen).toEqual([]);
    expect(lookedUp).toEqual([]);
  });

  test('nor is a denied name looked up where there is no proxy', async () => {
    const { rig, lookedUp } = await scene({ rig: { deny: ['bad.test'], proxyEnv: {} } });
    expect(await https(rig, 'bad.test')).toContain('x-gate-block: denylisted');
    expect(lookedUp).toEqual([]);
    expect(await http(rig, 'http://good.test/')).toContain('x-gate-error: dns_failed');
    expect(lookedUp).toEqual(['good.test']);
  });

  test('what --resolve pins, and what NO_PROXY names, is dialled directly', async () => {
    const { rig, proxy, origin, lookedUp } = await scene({
      noProxy: '.near.test',
      addresses: { 'near.test': '127.0.0.1' },
    });
    // The rig's policy lets no address but pinned ones be dialled: the lookup shows the way.
    expect(await https(rig, 'near.test')).toContain('private_destination');
    expect(lookedUp).toEqual(['near.test']);
    const pinned = createRig({
      gateCa,
      originCa,
      proxyEnv: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
      resolve: [{ host: 'far.test', port: 443, address: '127.0.0.1', addressPort: origin.port }],
    });
    cleanups.push(pinned.stop);
    expect(await https(pinned, 'far.test', '/pinned')).toContain('origin /pinned');
    expect(proxy.seen).toEqual([]);
  });
});

describe('a proxy that does not do it is x-gate-error: upstream_proxy, with the reason', () => {
  // promise: upstream.errors
  test.each([
    ['wants credentials', { login: 'me:secret' }, '407'],
    ['refuses the host', { refuse: '403 Forbidden' }, 'status 403'],
    ['cannot reach the host', { refuse: '503 Service Unavailable' }, 'status 503'],
    ['does not speak HTTP', { refuse: '' }, 'far.test'],
    ['is not there', { url: () => 'http://proxy.test:1' }, 'ECONNREFUSED'],
    ['has no address', { url: () => 'http://nowhere.test:3128' }, 'nowhere.test'],
    [
      'shows a certificate of an unknown CA',
      { tls: 'proxy.test', url: (port: number) => `https://proxy.test:${port}` },
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'shows a certificate of another name',
      { tls: 'other.test', url: (port: number) => `https://proxy.test:${port}`, trusted: true },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('%s', async (_, { tls, trusted, ...options }: { tls?: string; trusted?: boolean } & object, reason) => {
    const { rig } = await scene({
      ...options,
      ...(tls === undefined ? {} : { tls: { authority: corporateCa, name: tls } }),
      trusted: trusted === true ? corporateCa : originCa,
    });
    const answer = await https(rig, 'far.test');
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('x-gate-error: upstream_proxy');
    expect(answer).toContain(reason);
    expect(answer).not.toContain('secret');
    expect(rig.recorder.exchanges[0]?.end).toMatchObject({
      outcome: 'upstream_error',
      error: { code: 'upstream_proxy' },
    });
  });

  test('a 407 to plain HTTP is its own, and is not handed to the client', async () => {
    const { rig } = await scene({ login: 'me:secret' });
    const answer = await http(rig, 'http://far.test/');
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('x-gate-error: upstream_proxy');
  });
});
