import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/core/policy.ts';
import { type BlackHole, digHole } from '../helpers/black-hole.ts';
import { selfSigned } from '../helpers/certs.ts';
import type { Client } from '../helpers/client.ts';
import type { createRig, Rig } from '../helpers/client-rig.ts';
import { ADDRESS, createSuite, HOST } from '../helpers/client-suite.ts';
import type { RecordedExchange } from '../helpers/memory-recorder.ts';
import { answering, type OriginOptions, ok } from '../helpers/origin.ts';
import { skipBecause } from '../helpers/skips.ts';
import { policyOf } from '../unit/policy/decisions.ts';

const suite = createSuite();
const { gateCa, originCa, origin, rig, securely } = suite;

const missing = process.platform === 'linux' ? undefined : 'other addresses than 127.0.0.1 need Linux';
const v6 = await hasIpv6();
if (!v6) process.stderr.write('skipped: dialling ::1 needs IPv6 on the loopback\n');

/** Waiting for this would fail a test: nothing that has to come may hang on it. */
const FOR_EVER = 60_000;
/** Far above what a loaded machine needs, far below the limits that must not have been waited for. */
const SOON = 10_000;

const GET = `GET /asked HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

async function hasIpv6(): Promise<boolean> {
  const server = net.createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '::1', () => resolve(true));
  });
  if (listening) server.close();
  return listening;
}

async function hole(address: string): Promise<BlackHole> {
  const dug = await digHole(address);
  suite.cleanup(() => dug.stop());
  return dug;
}

/** An address at which nothing listens. */
async function refusing(address: string): Promise<Candidate> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { address, port, pinned: true };
}

const at = ({ address, port }: { address: string; port: number }): Candidate => ({
  address,
  port,
  pinned: true,
});

/** An engine for which HOST has these addresses, in this order. */
function dialling(candidates: readonly Candidate[], limits: Parameters<typeof createRig>[0]['limits']): Rig {
  const made = rig({ port: 1 }, { limits: { connectMs: FOR_EVER, nextAddressMs: FOR_EVER, ...limits } });
  made.policyCandidates = candidates;
  return made;
}

async function asked(made: Rig): Promise<Client> {
  return (await made.captured(ADDRESS, 80)).send(GET);
}

/** Resolves once it holds; fails with what it is about. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + SOON;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Stops this thread, and with it gate, until it holds. */
function untilBlocking(what: string, holds: () => boolean): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + SOON;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    Atomics.wait(clock, 0, 0, 5);
  }
}

const connecting = (): number =>
  process.getActiveResourcesInfo().filter((each) => each === 'TCPConnectWrap').length;

describe('several addresses', skipBecause(missing), () => {
  const deaf = v6 ? ['127.0.0.2', '::1'] : ['127.0.0.2'];
  test.each(deaf)('%s does not answer: the next has its turn after a moment', async (address) => {
    const dead = await hole(address);
    const alive = await origin(
      answering(() => ok('second')),
      { host: '127.0.0.3' },
    );
    const second = at({ address: '127.0.0.3', port: alive.port });
    const made = dialling([at(dead), second], { nextAddressMs: 400 });
    const started = performance.now();
    await (await asked(made)).saw('second');
    const elapsed = performance.now() - started;
    expect(elapsed).toBeGreaterThan(390);
    expect(elapsed).toBeLessThan(SOON);
    const { end, response } = await made.recorder.ended(0);
    expect(end?.outcome).toBe('complete');
    expect(response?.upstream?.address).toBe('127.0.0.3');
    expect(await dead.swallows()).toBe(true);
    await until('nobody dials the first any more', () => dead.sockets('dialling') === 0);
    expect(connecting()).toBe(0);
  });

  test('one refuses: the next is dialled at once', async () => {
    const alive = await origin(
      answering(() => ok('third')),
      { host: '127.0.0.4' },
    );
    const third = at({ address: '127.0.0.4', port: alive.port });
    const made = dialling([await refusing('127.0.0.2'), await refusing('127.0.0.3'), third], {});
    const started = performance.now();
    await (await asked(made)).saw('third');
    expect(performance.now() - started).toBeLessThan(SOON);
    expect((await made.recorder.ended(0)).response?.upstream?.address).toBe('127.0.0.4');
  });

  test('the first answers: no other is dialled', async () => {
    const first = await origin(
      answering(() => ok('first')),
      { host: '127.0.0.2' },
    );
    const other = await origin(
      answering(() => ok('other')),
      { host: '127.0.0.3' },
    );
    const addresses = [
      at({ address: '127.0.0.2', port: first.port }),
      at({ address: '127.0.0.3', port: other.port }),
    ];
    const made = dialling(addresses, { nextAddressMs: 500 });
    await (await asked(made)).saw('first');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(other.tcp().ever).toBe(0);
  });

  // promise: upstream.errors
  test('all refuse: one answer, one error, recorded', async () => {
    const addresses = [await refusing('127.0.0.2'), await refusing('127.0.0.3'), await refusing('127.0.0.4')];
    const last = addresses[2];
    const made = dialling(addresses, {});
    const client = await asked(made);
    const text = await client.saw(/"error".*\n$/);
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).toContain('x-gate-error: connect_failed\r\n');
    const { end, response } = await made.recorder.ended(0);
    expect(response).toMatchObject({ status: 502 });
    expect(end?.outcome).toBe('upstream_error');
    expect(end?.error?.code).toBe('connect_failed');
    expect(end?.error?.message).toContain(`127.0.0.4 port ${last?.port} cannot be reached`);
    expect(end?.error?.message).toContain('ECONNREFUSED');
    expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  });

  // promise: upstream.errors
  test('none answers: a timeout, recorded, and nothing is left dialling', async () => {
    const holes = [await hole('127.0.0.2'), await hole('127.0.0.3')];
    const made = dialling(holes.map(at), { connectMs: 600, nextAddressMs: 100 });
    const text = await (await asked(made)).saw(/"error".*\n$/);
    expect(text).toMatch(/^HTTP\/1\.1 504 /);
    expect(text).toContain('x-gate-error: timeout\r\n');
    const { end } = await made.recorder.ended(0);
    expect(end).toMatchObject({ outcome: 'timeout', error: { code: 'timeout' } });
    expect(end?.error?.message).toContain(`127.0.0.3 port ${holes[1]?.port} did not answer within 600 ms`);
    for (const each of holes) expect(each.sockets('dialling')).toBe(0);
    expect(connecting()).toBe(0);
  });

  test('two answer in the same moment: one is asked, the other is hung up on', async () => {
    const holes = [await hole('127.0.0.2'), await hole('127.0.0.3')];
    const made = dialling(holes.map(at), { nextAddressMs: 20 });
    const client = await asked(made);
    await until('both are dialled', () => holes.every((each) => each.sockets('dialling') === 1));
    for (const each of holes) each.open();
    // Gate looks only when both connections stand.
    untilBlocking('both are connected', () => holes.every((each) => each.sockets('established') === 1));
    await client.saw('opened');
    const { response } = await made.recorder.ended(0);
    const winner = holes.find(({ address }) => address === response?.upstream?.address);
    const loser = holes.find((each) => each !== winner);
    await until('the loser sees its end', () => loser?.guests().every(({ over }) => over) === true);
    await until('both have said who came', () => holes.every((each) => each.guests().length === 1));
    expect(loser?.guests()).toEqual([{ text: '', over: true }]);
    expect(winner?.guests()[0]?.text).toContain('GET /asked HTTP/1.1');
    await until('the loser is closed', () => loser?.sockets('established') === 0);
    expect(connecting()).toBe(0);
  });
});

/** Asks and gives back what leaves. */
type Asking = (made: Rig) => Promise<() => void>;

async function overHttp2(made: Rig): Promise<{ leave: () => void; status: Promise<number | undefined> }> {
  const socket = tls.connect({
    port: await made.capturedPort(ADDRESS, 443),
    host: '127.0.0.1',
    ca: gateCa.ca,
    servername: HOST,
    ALPNProtocols: ['h2'],
  });
  await once(socket, 'secureConnect');
  const session = http2.connect(`https://${HOST}`, { createConnection: () => socket });
  session.on('error', () => undefined);
  suite.cleanup(async () => session.destroy());
  const stream = session.request({ ':path': '/asked' }).on('error', () => undefined);
  const status = new Promise<number | undefined>((resolve) => {
    stream.once('response', (headers) => resolve(headers[':status']));
    stream.once('close', () => resolve(undefined));
  });
  return { leave: () => session.destroy(), status };
}

/** The first thing that a TLS client says, for {@link HOST}. */
async function clientHello(): Promise<Buffer> {
  const heard = new Promise<Buffer>((resolve) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        socket.destroy();
        server.close();
        resolve(data);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      tls.connect({ port, host: '127.0.0.1', servername: HOST }).on('error', () => undefined);
    });
  });
  return heard;
}

const ways: [string, Asking][] = [
  [
    'HTTP',
    async (made) => {
      const client = await asked(made);
      return () => client.destroy();
    },
  ],
  [
    'HTTPS',
    async (made) => {
      const client = (await securely(made)).send(GET);
      return () => client.destroy();
    },
  ],
  ['HTTP/2', async (made) => (await overHttp2(made)).leave],
];

describe('a client that leaves', skipBecause(missing), () => {
  test.each(ways)('over %s, while gate dials: no dial goes on', async (_name, ask) => {
    const holes = [await hole('127.0.0.2'), await hole('127.0.0.3')];
    const made = dialling(holes.map(at), { nextAddressMs: 20 });
    const leave = await ask(made);
    await until('both are dialled', () => holes.every((each) => each.sockets('dialling') === 1));
    leave();
    expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
    await until('no dial goes on', () => holes.every((each) => each.sockets('dialling') === 0));
    expect(connecting()).toBe(0);
  });

  test('of a tunnel, while gate dials: no dial goes on once its connection is broken, and one does that has only ended', async () => {
    const dead = await hole('127.0.0.2');
    const made = rig(
      { port: 1 },
      { passthrough: [`${HOST}:443`], limits: { connectMs: FOR_EVER, nextAddressMs: FOR_EVER } },
    );
    made.policyCandidates = [at(dead)];
    const hello = await clientHello();
    const breaks = (await made.captured(ADDRESS, 443)).send(hello);
    await until('it is dialled', () => dead.sockets('dialling') === 1);
    const ends = (await made.captured(ADDRESS, 443)).send(hello);
    await until('it is dialled twice', () => dead.sockets('dialling') === 2);
    ends.socket.end();
    breaks.socket.resetAndDestroy();
    const { end } = await made.recorder.until(() => made.recorder.tunnels.find((each) => each.end));
    expect(end?.outcome).toBe('client_aborted');
    await until('one dial goes on', () => dead.sockets('dialling') === 1);
    dead.open();
    // The origin speaks HTTP, so it takes the handshake for a request.
    expect(await ends.over()).toContain('opened');
    await until('the other has ended', () => made.recorder.tunnels[1]?.end?.outcome === 'complete');
    expect(made.recorder.tunnels[0]?.end?.outcome).toBe('client_aborted');
  });

  test.each(ways.slice(1))('over %s, while the origin shakes hands: it is hung up on', async (_name, ask) => {
    const mute = await origin(() => undefined, { host: '127.0.0.2' });
    const made = dialling([at({ address: '127.0.0.2', port: mute.port })], {});
    const leave = await ask(made);
    await mute.saw(HOST);
    leave();
    expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
    await until('the origin is hung up on', () => mute.tcp().open === 0);
    expect(mute.tcp().ever).toBe(1);
  });

  test('over HTTP/2, while another waits for the same dial: that one is served', async () => {
    const inner = tls.createServer(originCa.issue([HOST]), (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(ok('served')));
    });
    const held: Socket[] = [];
    let release = (socket: Socket): void => void held.push(socket);
    const outer = net.createServer((socket) => release(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => outer.listen(0, '127.0.0.2', resolve));
    suite.cleanup(async () => void outer.close());
    const made = dialling([at({ address: '127.0.0.2', port: (outer.address() as AddressInfo).port })], {});

    const first = await overHttp2(made);
    await until('it is dialled', () => held.length === 1);
    const second = await overHttp2(made);
    await made.recorder.until(() => made.recorder.exchanges[1]);
    first.leave();
    expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
    const [shared] = held;
    const over = new Promise((resolve) => shared?.once('close', resolve));
    release = (socket) => void inner.emit('connection', socket);
    if (shared !== undefined) release(shared);
    expect(await second.status).toBe(200);
    // The origin speaks HTTP/1.1, so the shared connection was for the one who has left.
    await over;
    expect(held).toHaveLength(1);
  });
});

describe('what is dialled', skipBecause(missing), () => {
  /** Origins at these addresses, all on one port, as the answer of a resolver needs them. */
  async function neighbours(...hosts: string[]) {
    for (let tries = 0; ; tries += 1) {
      const [host = '', ...others] = hosts;
      const first = await origin(
        answering(() => ok(`at ${host}`)),
        { host },
      );
      const serve = (name: string) => () => answering(() => ok(`at ${name}`));
      try {
        const rest = [];
        for (const name of others) rest.push(await origin(serve(name)(), { host: name, port: first.port }));
        return { port: first.port, all: [first, ...rest] };
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  /** Asks for `localhost`, which the rule lets in on this port, under the policy of a run. */
  async function local(port: number, answers: string[][]): Promise<{ made: Rig; client: Client }> {
    const policy = policyOf({ target: '', allow: [`localhost:${port}`], deny: ['127.0.0.66/32'], says: '' });
    const resolveName = async () => answers.shift() ?? [];
    const made = rig(undefined, { policy, resolveName, limits: { lookupTtlMs: 0, nextAddressMs: 50 } });
    const client = await made.proxy();
    client.send(`GET http://localhost:${port}/ HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    return { made, client };
  }

  // promise: decide.vetted
  test.each([
    ['an address that Linux takes for this machine', '0.0.0.0', '127.0.0.1', 'private_destination'],
    ['an address of the denylist', '127.0.0.66', '127.0.0.66', 'denylisted'],
  ])('nothing, with %s among those that are let in', async (_name, bad, listens, reason) => {
    const { all, port } = await neighbours('127.0.0.2', listens);
    for (const answer of [
      ['127.0.0.2', bad],
      [bad, '127.0.0.2'],
    ]) {
      const { client, made } = await local(port, [answer]);
      const text = await client.saw('"gate_blocked"');
      expect(text).toContain(`x-gate-block: ${reason}\r\n`);
      expect((await made.recorder.ended(0)).end?.outcome).toBe('denied');
    }
    // The proof that the probe could have got there, both ways.
    for (const host of ['127.0.0.2', bad]) await once(net.connect({ host, port }), 'connect');
    await until('both probes are counted', () => all.every((each) => each.tcp().ever > 0));
    expect(all.map((each) => each.tcp().ever)).toEqual([1, 1]);
  });

  // promise: decide.vetted
  test('what was vetted, not what the resolver says the next time', async () => {
    const { all, port } = await neighbours('127.0.0.2', '127.0.0.3');
    const { client, made } = await local(port, [['127.0.0.2'], ['127.0.0.3']]);
    await client.saw('at 127.0.0.2');
    expect((await made.recorder.ended(0)).response?.upstream?.address).toBe('127.0.0.2');
    expect(all[1]?.tcp().ever).toBe(0);
  });
});

/** How an origin can be no good, and what is then said: words of its own, and OpenSSL's or Node's. */
const CERTIFICATES: [string, () => OriginOptions, string, RegExp][] = [
  [
    'expired',
    () => ({ secure: originCa.issue([HOST], { expired: true }) }),
    'certificate has expired',
    /\(CERT_HAS_EXPIRED\)/,
  ],
  [
    'not valid yet',
    () => ({ secure: originCa.issue([HOST], { early: true }) }),
    'certificate is not yet valid',
    /\(CERT_NOT_YET_VALID\)/,
  ],
  [
    'signed by itself',
    () => ({ secure: selfSigned([HOST]) }),
    'self-signed certificate',
    /\(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  ],
  [
    'for another name',
    () => ({ secure: originCa.issue(['other.example.test']) }),
    "is not in the cert's altnames: DNS:other.example.test",
    /\(ERR_TLS_CERT_ALTNAME_INVALID\)/,
  ],
  [
    'of an unknown authority',
    () => ({ secure: gateCa.issue([HOST]) }),
    'unable to verify the first certificate',
    /\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/,
  ],
  [
    'of an unknown authority that shows its root',
    () => {
      const { cert, key } = gateCa.issue([HOST]);
      return { secure: { key, cert: cert + gateCa.ca } };
    },
    'self-signed certificate in certificate chain',
    /\(SELF_SIGNED_CERT_IN_CHAIN\)/,
  ],
];

const POST = `POST /private HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 6\r\n\r\nsecret`;

/** What is told to the client and what is recorded, which must agree. */
async function failed(made: Rig): Promise<{ text: string; recorded: RecordedExchange; message: string }> {
  const client = (await securely(made)).send(POST);
  const text = await client.saw(/"error".*\n$/);
  const recorded = await made.recorder.ended(0);
  const { error } = recorded.end ?? {};
  const told = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { error: Record<string, string> };
  expect(told.error).toEqual({
    type: 'gate_error',
    reason: error?.code,
    host: HOST,
    message: error?.message,
  });
  return { text, recorded, message: error?.message ?? '' };
}

describe('an origin whose certificate', () => {
  // promise: upstream.errors
  test.each(CERTIFICATES)('is %s', async (_name, options, words, code) => {
    const bad = await origin(() => undefined, options());
    const made = rig(bad);
    const { text, recorded, message } = await failed(made);
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).toContain('x-gate-error: tls_invalid\r\n');
    expect(recorded.response?.status).toBe(502);
    expect(recorded.end).toMatchObject({ outcome: 'upstream_error', error: { code: 'tls_invalid' } });
    expect(message).toMatch(new RegExp(`^the TLS of ${HOST} cannot be trusted: `));
    expect(message).toContain(words);
    expect(message).toMatch(code);
    await until('the origin is hung up on', () => bad.tcp().ever === 1 && bad.tcp().open === 0);
    expect(bad.received()).toBe('');
  });
});

/** TLS of before 2008, as a server of that time would speak it. */
const OLD: tls.TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };

const NO_TLS: [string, Parameters<typeof origin>[0], () => OriginOptions, string, RegExp][] = [
  [
    'speaks HTTP',
    (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
    () => ({}),
    'tls_invalid',
    /^api\.example\.test does not speak TLS on this port \(ERR_SSL_[A-Z_]+\)$/,
  ],
  [
    'speaks SSH',
    (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
    () => ({}),
    'tls_invalid',
    /^api\.example\.test does not speak TLS on this port \(ERR_SSL_[A-Z_]+\)$/,
  ],
  [
    'speaks TLS 1.1 at most',
    () => undefined,
    () => ({ secure: { ...originCa.issue([HOST]), ...OLD } }),
    'tls_invalid',
    /^api\.example\.test speaks no version of TLS that gate accepts, which are 1\.2 and 1\.3 \(ERR_SSL_[A-Z0-9_]+\)$/,
  ],
  [
    'has no cipher in common with gate',
    () => undefined,
    () => ({
      secure: { ...originCa.issue([HOST]), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    }),
    'tls_invalid',
    /^api\.example\.test and gate cannot agree on TLS: [a-z0-9/ ]*handshake failure \((ERR_SSL_[A-Z0-9_]+|ERR_SSL_SSL\/TLS_ALERT_HANDSHAKE_FAILURE)\)$/,
  ],
  [
    'hangs up',
    (socket) => void socket.end(),
    () => ({}),
    'connect_failed',
    /^api\.example\.test broke off its TLS handshake: /,
  ],
  [
    'says nothing',
    () => undefined,
    () => ({}),
    'timeout',
    /^api\.example\.test did not finish its TLS handshake within 700 ms$/,
  ],
];

describe('an origin that should speak TLS and', () => {
  // promise: upstream.errors
  test.each(NO_TLS)('%s', async (_name, serve, options, code, words) => {
    const bad = await origin(serve, options());
    const made = rig(bad, { limits: { connectMs: code === 'timeout' ? 700 : FOR_EVER } });
    const { text, recorded, message } = await failed(made);
    expect(text).toMatch(code === 'timeout' ? /^HTTP\/1\.1 504 / : /^HTTP\/1\.1 502 /);
    expect(text).toContain(`x-gate-error: ${code}\r\n`);
    expect(recorded.end?.outcome).toBe(code === 'timeout' ? 'timeout' : 'upstream_error');
    expect(recorded.end?.error?.code).toBe(code);
    expect(message).toMatch(words);
    await until('the origin is hung up on', () => bad.tcp().ever === 1 && bad.tcp().open === 0);
    expect(bad.received()).not.toMatch(/private|secret|HTTP\//);
  });
});
