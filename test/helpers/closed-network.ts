import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { type Answer, parseQuery, RCODE, TYPE, writeAnswer } from '../../src/proxy/dns/codec.ts';
import { createTestAuthority } from './certs.ts';
import { startCorporateProxy } from './corporate-proxy.ts';
import { type AnyRecord, type GateResult, type TestHome, testHome } from './product.ts';

/**
 * Run by itself in network and mount namespaces of its own (`unshare`): a company's network, with a resolver that
 * can be watched, a proxy with a certificate of the company's CA, and an origin whose certificate that CA has signed.
 * Reads a `Scene` from its argument, runs gate in it once, and writes a `Told` to stdout.
 */
export interface Scene {
  /** Whether the network's resolver knows names of the outside. */
  readonly outsideNames: boolean;
  /** Whether the person's environment names the proxy. */
  readonly proxy: boolean;
  readonly options: readonly string[];
  readonly command: readonly string[];
}

/** What was seen. */
export interface Told {
  readonly result: GateResult;
  /** Every name that the network's resolver was asked for. */
  readonly askedNames: readonly string[];
  /** What the proxy was asked for. */
  readonly askedProxy: readonly string[];
  /** What the origin was asked for. */
  readonly askedOrigin: readonly string[];
  readonly ledger: readonly AnyRecord[];
}

const ORIGIN = '93.184.215.14';
const PROXY_NAME = 'proxy.corp.test';
const LOGIN = 'me:corp-secret';

/** Loopback up, the origin's address on this machine without being one of its own, and its resolver in charge. */
function makeNetwork(home: TestHome): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['route', 'add', 'local', `${ORIGIN}/32`, 'dev', 'lo']);
  for (const [name, text] of [
    ['resolv.conf', 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n'],
    ['nsswitch.conf', 'hosts: files dns\n'],
  ] as const) {
    const file = join(home.dir, name);
    writeFileSync(file, text, { mode: 0o644 });
    execFileSync('mount', ['--bind', file, `/etc/${name}`]);
  }
}

async function startResolver(known: Readonly<Record<string, string>>, asked: Set<string>): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const query = parseQuery(message);
    if ('malformed' in query) return;
    const name = query.labels.join('.').toLowerCase();
    asked.add(name);
    socket.send(writeAnswer(query, answerFor(query.type, known[name])), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(53, '127.0.0.1', resolve));
  return socket;
}

function answerFor(type: number, address: string | undefined): Answer {
  if (address === undefined) return { rcode: RCODE.nxDomain };
  return type === TYPE.A ? { rcode: 0, record: { type: TYPE.A, address } } : { rcode: 0 };
}

async function startOrigin(seen: string[], certificate: { key: string; cert: string }): Promise<Server> {
  const server = createServer(certificate, (request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`);
    request.resume().on('end', () => response.end('{"answer":"hello"}\n'));
  });
  await new Promise<void>((resolve) => server.listen(443, ORIGIN, resolve));
  return server;
}

async function play(scene: Scene): Promise<Told> {
  const home = testHome();
  makeNetwork(home);
  const authority = createTestAuthority('company');
  const caFile = join(home.dir, 'company.pem');
  writeFileSync(caFile, authority.ca);
  const askedNames = new Set<string>();
  const outside = { 'origin.test': ORIGIN, 'bad.test': ORIGIN, 'unlisted.test': ORIGIN };
  const names = { [PROXY_NAME]: '127.0.0.1', ...(scene.outsideNames ? outside : {}) };
  const resolver = await startResolver(names, askedNames);
  const askedOrigin: string[] = [];
  const origin = await startOrigin(askedOrigin, authority.issue(Object.keys(outside)));
  const proxy = await startCorporateProxy({
    originPort: 443,
    originAddress: ORIGIN,
    login: LOGIN,
    tls: { authority, name: PROXY_NAME },
  });
  const url = `https://${LOGIN}@${PROXY_NAME}:${proxy.port}`;
  // The company's CA is where people have it: in the variable that their own tools read.
  const env = { NODE_EXTRA_CA_CERTS: caFile, ...(scene.proxy ? { HTTPS_PROXY: url, http_proxy: url } : {}) };
  const result = await home.gate(['run', ...scene.options, '--', ...scene.command], { env });
  const told = {
    result,
    askedNames: [...askedNames],
    askedProxy: proxy.seen,
    askedOrigin,
    ledger: home.ledger(),
  };
  origin.closeAllConnections();
  origin.close();
  resolver.close();
  await proxy.stop();
  home.remove();
  return told;
}

process.stdout.write(JSON.stringify(await play(JSON.parse(process.argv[2] ?? '') as Scene)));
