import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Rig } from '../helpers/client-rig.ts';
import { ADDRESS, createSuite, HOST } from '../helpers/client-suite.ts';
import { h2Frame, hpack } from '../helpers/fuzz.ts';
import { type ServeStream, startH2Origin } from '../helpers/h2-origin.ts';
import { answering, ok } from '../helpers/origin.ts';

const suite = createSuite();
const { gateCa, origin, originCa, rig, securely, tlsOrigin } = suite;

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
const LONG = 'abcdefghij'.repeat(3000);

/** An origin that speaks HTTP/2 only, with heads of any size. */
const h2Origin = (serve: ServeStream) =>
  startH2Origin(suite, serve, {
    maxHeaderListPairs: 20_000,
    maxSendHeaderBlockLength: 2_000_000,
    settings: { maxHeaderListSize: 1_000_000 },
  });

/** An HTTP/2 connection of a client that sends heads of any size. */
async function session(made: Rig): Promise<ClientHttp2Session> {
  const { socket } = await (await made.captured(ADDRESS, 443)).secure({
    ca: gateCa.ca,
    servername: HOST,
    ALPNProtocols: ['h2'],
  });
  socket.removeAllListeners('data');
  const client = http2.connect(`https://${HOST}`, {
    createConnection: () => socket,
    maxHeaderListPairs: 20_000,
    maxSendHeaderBlockLength: 2_000_000,
  });
  client.on('error', () => undefined);
  suite.cleanup(async () => client.destroy());
  return client;
}

interface Got {
  status?: number;
  raw?: string[];
  body: string;
  ended: boolean;
  error: string | undefined;
}

function follow(stream: ClientHttp2Stream): Promise<Got> {
  const got: Got = { body: '', ended: false, error: undefined };
  stream.on('response', (headers, _flags: number, raw?: string[]) =>
    Object.assign(got, { status: headers[':status'], raw }),
  );
  stream.on('data', (chunk: Buffer) => {
    got.body += chunk.toString('latin1');
  });
  stream.on('error', (error: Error & { code?: string }) => Object.assign(got, { error: error.code }));
  stream.on('end', () => Object.assign(got, { ended: true }));
  return new Promise((resolve) => stream.on('close', () => resolve(got)));
}

/** The values of the fields in a head. */
const valuesIn = (head: string): string[] =>
  head.split('\r\n').map((line) => line.slice(line.indexOf(': ') + 2));

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, '1']));

describe('long heads', () => {
  test('a URL and a field of 30 kB each, and an answer with as much, pass byte for byte', async () => {
    const answer = ok('fits', `X-A: ${LONG}\r\nX-B: ${LONG}\r\n`);
    const target = await origin(answering(() => answer));
    const made = rig(target);
    const client = await made.captured(ADDRESS, 80);
    const request = `GET /${LONG}?q HTTP/1.1\r\nHost: ${HOST}\r\nX-There: ${LONG}\r\n\r\n`;
    client.send(request);
    await client.saw('fits');
    expect(target.received().startsWith(`GET /${LONG}?q HTTP/1.1\r\n`), 'the URL as it was').toBe(true);
    expect(valuesIn(target.received()).includes(LONG), 'the field as it was').toBe(true);
    expect(valuesIn(client.text).filter((each) => each === LONG).length, 'fields as they were').toBe(2);
    await made.gateOnly(() => {
      expect(target.received() === request).toBe(true);
      expect(client.text === answer).toBe(true);
    });
    expect((await made.recorder.ended(0)).facts.url).toBe(`http://${HOST}/${LONG}?q`);
  });

  test('ten thousand fields within 64 kB pass, in order', async () => {
    const target = await origin(answering(() => ok('fits')));
    const client = await rig(target).captured(ADDRESS, 80);
    const fields = Array.from({ length: 10_000 }, (_, at) => `${'abcdefghij'[at % 10]}:1\r\n`).join('');
    const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n${fields}\r\n`;
    client.send(request);
    await client.saw('fits');
    expect(
      target.received() === request.replaceAll(':1\r\n', ': 1\r\n') || target.received() === request,
      'the fields came otherwise, or not all',
    ).toBe(true);
  });

  test('an answer whose head is longer than 64 kB is a 502 that says so', async () => {
    const target = await origin(answering(() => ok('never', `X: ${LONG}${LONG}${LONG}\r\n`)));
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 50[24] /);
    expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_error');
    const text = await client.saw('"error"');
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).toContain('a head of more than 65536 bytes');
  });

  test('over HTTP/2: as long, and as many fields as fit, both ways', async () => {
    const seen: string[][] = [];
    const target = await h2Origin((stream, headers, raw) => {
      seen.push(raw);
      const fields = headers[':path'] === '/many' ? many(1000) : { 'x-a': LONG, 'x-b': LONG };
      stream.respond({ ':status': 200, ...fields });
      stream.end('fits');
    });
    const made = rig(target);
    const client = await session(made);
    const long = await follow(client.request({ ':path': `/${LONG}`, 'x-there': LONG }));
    expect(long).toMatchObject({ status: 200, body: 'fits', ended: true });
    expect(long.raw?.filter((each) => each === LONG)).toHaveLength(2);
    expect(seen[0]?.includes(`/${LONG}`)).toBe(true);
    expect(seen[0]?.includes(LONG)).toBe(true);
    const wide = await follow(client.request({ ':path': '/many', ...many(1000) }));
    expect(wide.raw?.filter((each) => each === '1')).toHaveLength(1000);
    expect(seen[1]?.filter((each) => each === '1')).toHaveLength(1000);
  });

  test.each([
    ['bytes', { a: LONG, b: LONG, c: LONG }],
    ['fields', many(10_000)],
  ])('over HTTP/2: too many %s are a 431 on their stream, and recorded', async (_name, fields) => {
    const target = await h2Origin((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('reached');
    });
    const made = rig(target);
    const client = await session(made);
    const got = await follow(client.request({ ':path': '/', ...fields }));
    expect(got).toMatchObject({ status: 431, ended: true });
    expect(JSON.parse(got.body).error.reason).toBe('head_too_large');
    expect(made.recorder.refusals).toMatchObject([{ proto: 'h2', host: HOST, reason: 'head_too_large' }]);
    expect(target.sockets).toHaveLength(0);
    expect((await follow(client.request({ ':path': '/' }))).body).toBe('reached');
  });

  test('over HTTP/2: an answer whose head is longer than 64 kB is a 502 that says so', async () => {
    const target = await h2Origin((stream) => {
      stream.respond({ ':status': 200, a: LONG, b: LONG, c: LONG });
      stream.end('never');
    });
    const made = rig(target);
    const got = await follow((await session(made)).request({ ':path': '/' }));
    expect(got.status).toBe(502);
    expect(got.body).toContain('a head of more than 65536 bytes');
    expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_error');
  });
});

describe('Expect: 100-continue', () => {
  const PUT = `PUT / HTTP/1.1\r\nHost: ${HOST}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;

  test('an origin that refuses is heard at once, and the body that was never sent is no request', async () => {
    const refusal = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno';
    const target = await origin((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(refusal);
    });
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(PUT);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 417 /);
    await made.gateOnly(async () => {
      expect(await client.over()).toBe(refusal);
      expect(client.closed).toBe('ended');
      expect(target.received()).toBe(PUT);
    });
    expect(await made.recorder.ended(0)).toMatchObject({
      response: { status: 417 },
      end: { outcome: 'complete' },
    });
  });

  test('an origin that never says 100 gets the body when the client sends it', async () => {
    const target = await origin((socket, text) => {
      if (text.endsWith('body!')) socket.write(ok('got it'));
    });
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(PUT);
    await target.saw(/expect/i);
    client.send('body!');
    await client.saw('got it');
    await made.gateOnly(() => {
      expect(client.text).toBe(ok('got it'));
      expect(target.received()).toBe(`${PUT}body!`);
    });
  });

  test('over HTTP/2, to an origin of HTTP/1.1', async () => {
    const target = await tlsOrigin((socket, text) => {
      if (text.endsWith('\r\n\r\n') && !text.includes('body!')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      if (text.endsWith('0\r\n\r\n')) socket.write(ok('got it'));
    });
    const client = await session(rig(target));
    const stream = client.request({ ':method': 'PUT', ':path': '/', expect: '100-continue' });
    stream.on('continue', () => stream.end('body!'));
    expect((await follow(stream)).body).toBe('got it');
    expect(target.received()).toMatch(/\r\nexpect: 100-continue\r\n.*\r\n\r\n5\r\nbody!\r\n0\r\n\r\n$/s);
  });
});

describe('answers without a body, over HTTP/2', () => {
  const check = async (target: { readonly port: number }): Promise<void> => {
    const made = rig(target);
    const client = await session(made);
    const head = await follow(client.request({ ':method': 'HEAD', ':path': '/' }));
    expect(head).toMatchObject({ status: 200, body: '', ended: true, error: undefined });
    expect(head.raw).toContain('1000');
    const unchanged = await follow(client.request({ ':path': '/304' }));
    expect(unchanged).toMatchObject({ status: 304, body: '', ended: true, error: undefined });
    expect(unchanged.raw).toContain('9');
    const nothing = await follow(client.request({ ':path': '/204' }));
    expect(nothing).toMatchObject({ status: 204, body: '', ended: true, error: undefined });
    expect(made.recorder.exchanges.map((each) => each.end?.outcome)).toEqual(Array(3).fill('complete'));
  };

  test('from an origin of HTTP/1.1', async () => {
    const answers = (request: { head: string }): string => {
      if (request.head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
      if (request.head.includes('/304')) return 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n';
      return 'HTTP/1.1 204 No Content\r\n\r\n';
    };
    await check(await tlsOrigin(answering(answers)));
  });

  test('from an origin of HTTP/2', async () => {
    const target = await h2Origin((stream, headers) => {
      const last = { endStream: true };
      if (headers[':method'] === 'HEAD') stream.respond({ ':status': 200, 'content-length': 1000 }, last);
      else if (headers[':path'] === '/304') stream.respond({ ':status': 304, 'content-length': 9 }, last);
      else stream.respond({ ':status': 204 }, last);
    });
    await check(target);
  });
});

/** Whether there is a HEADERS frame in what a client of HTTP/2 has sent since it connected. */
function asks(heard: Buffer): boolean {
  for (let at = 24; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
    if (heard[at + 3] === 1) return true;
  }
  return false;
}

describe('an HTTP/2 origin that has not begun with a request', () => {
  test('refuses the stream: the request is sent once more', async () => {
    const bodies: string[] = [];
    const target = await h2Origin((stream) => {
      let body = '';
      stream.on('data', (chunk: Buffer) => {
        body += String(chunk);
      });
      stream.on('end', () => {
        if (bodies.push(body) === 1) return void stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
        stream.respond({ ':status': 200 });
        stream.end('served');
      });
    });
    const made = rig(target);
    const stream = (await session(made)).request({ ':method': 'POST', ':path': '/' });
    stream.end('question');
    expect(await follow(stream)).toMatchObject({ status: 200, body: 'served', ended: true });
    expect(bodies).toEqual(['question', 'question']);
    expect((await made.recorder.ended(0)).end?.outcome).toBe('complete');
  });

  test('refuses it again: that is said, and there is no third time', async () => {
    let asked = 0;
    const target = await h2Origin((stream) => {
      asked += 1;
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    });
    const made = rig(target);
    const got = await follow((await session(made)).request({ ':path': '/' }));
    expect(got.status).toBe(502);
    expect(asked).toBe(2);
    expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_error');
  });

  test('goes away: the request is sent on a new connection', async () => {
    const sockets: Socket[] = [];
    const settings = h2Frame(4, 0, 0, Buffer.alloc(0));
    const server = createServer({ ...originCa.issue([HOST]), ALPNProtocols: ['h2'] }, (socket) => {
      const first = sockets.push(socket) === 1;
      socket.on('error', () => undefined);
      socket.write(settings);
      // The last stream that was begun with is number 0; or an answer.
      const goAway = h2Frame(7, 0, 0, Buffer.alloc(8));
      const answer = [h2Frame(1, 4, 1, hpack([[':status', '200']])), h2Frame(0, 1, 1, Buffer.from('served'))];
      let heard = Buffer.alloc(0);
      socket.on('data', (data: Buffer) => {
        heard = Buffer.concat([heard, data]);
        if (!asks(heard)) return;
        heard = Buffer.alloc(0);
        socket.write(Buffer.concat(first ? [goAway] : answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    suite.cleanup(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const made = rig({ port: (server.address() as AddressInfo).port });
    const got = await follow((await session(made)).request({ ':path': '/asked' }));
    expect(got).toMatchObject({ status: 200, body: 'served', ended: true });
    expect(sockets).toHaveLength(2);
  });
});

test('an origin of HTTP/1.1 that breaks off is a reset to a client of HTTP/2', async () => {
  const target = await tlsOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npartial');
    setTimeout(() => socket.destroy(), 40);
  });
  const made = rig(target);
  const got = await follow((await session(made)).request({ ':path': '/' }));
  expect(got).toMatchObject({ body: 'partial', ended: false, error: 'ERR_HTTP2_STREAM_ERROR' });
  expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_reset');
});

test('an extended CONNECT that was not offered is a reset of its stream; the session lives on', async () => {
  const target = await tlsOrigin(answering(() => ok('served')));
  const made = rig(target);
  const client = await (await made.captured(ADDRESS, 443)).secure({
    ca: gateCa.ca,
    servername: HOST,
    ALPNProtocols: ['h2'],
  });
  const common: [string, string][] = [
    [':scheme', 'https'],
    [':authority', HOST],
  ];
  const connect = hpack([
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':path', '/ws'],
    ...common,
    ['sec-websocket-version', '13'],
  ]);
  const get = hpack([[':method', 'GET'], [':path', '/'], ...common]);
  const start = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), h2Frame(4, 0, 0, Buffer.alloc(0))];
  client.send(Buffer.concat([...start, h2Frame(1, 4, 1, connect), h2Frame(1, 5, 3, get)]));
  await client.saw('served');
  const PROTOCOL_ERROR = Buffer.from([0, 0, 0, 1]);
  expect(client.bytes.includes(h2Frame(3, 0, 1, PROTOCOL_ERROR))).toBe(true);
  expect(target.received()).not.toContain('/ws');
});

test('connections to an origin are kept for whoever comes next', async () => {
  const target = await tlsOrigin(answering(() => ok('ok')));
  const made = rig(target);
  for (let n = 0; n < 3; n += 1) {
    const client = (await securely(made)).send(GET);
    await client.saw('\r\n\r\nok');
    await made.gateOnly(async () => void (await made.recorder.ended(n)));
    client.destroy();
  }
  expect(target.connections.length, 'connections to the origin').toBe(1);
});

test('fields of this hop and of proxies stay out of an answer', async () => {
  const fields =
    'Connection: X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-Stays: 1\r\n';
  const target = await origin(answering(() => ok('done', fields)));
  const made = rig(target);
  const client = (await made.captured(ADDRESS, 80)).send(GET);
  await client.saw('done');
  expect(client.text).toMatch(/\r\nx-stays: 1\r\n/i);
  expect(client.text, 'a field of the other hop came').not.toMatch(/\r\n(x-gone|proxy-.*|upgrade):/i);
  await made.gateOnly(() => expect(client.text).toBe(ok('done', 'X-Stays: 1\r\n')));
});

test('h2c by upgrade on a plain port is not taken up: HTTP/1.1 goes on', async () => {
  const target = await origin(answering(() => ok('plain')));
  const made = rig(target);
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
  const client = await made.captured(ADDRESS, 80);
  client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${upgrade}\r\n`);
  expect(await client.saw('plain')).toMatch(/^HTTP\/1\.1 200 /);
  expect(target.received()).not.toMatch(/\r\n(upgrade|http2-settings):/i);
  await made.gateOnly(() => {
    expect(client.text).toBe(ok('plain'));
    expect(target.received()).toBe(GET);
  });
  expect((await made.recorder.ended(0)).facts.headers).toContainEqual(['Upgrade', 'h2c']);
});

describe('time', () => {
  test('an event stream may last longer than every limit, as long as something comes', async () => {
    const ms = 500;
    const target = await tlsOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
      let at = 0;
      const timer = setInterval(() => {
        socket.write(`data: ${at}\n\n`);
        at += 1;
        if (at < 60) return;
        clearInterval(timer);
        socket.end();
      }, 25);
      socket.on('close', () => clearInterval(timer));
    });
    const idle = { headMs: ms, clientIdleMs: ms, clientStallMs: ms, upstreamIdleMs: ms, poolIdleMs: ms };
    const made = rig(target, { limits: { ...idle, connectMs: 2 * ms } });
    const client = (await securely(made)).send(GET);
    const text = await client.over();
    expect(text.match(/data: \d+\n\n/g)).toHaveLength(60);
    expect(client.closed).toBe('ended');
    const { end } = await made.recorder.ended(0);
    expect(end?.outcome).toBe('complete');
    expect(end?.timing.totalMs).toBeGreaterThan(2 * ms);
  });

  test.each([80, 443, 8080])('a client that says nothing on port %i is let go', async (port) => {
    const made = rig(undefined, { limits: { clientIdleMs: 100 } });
    expect(await (await made.captured(ADDRESS, port)).over()).toBe('');
  });

  test('and one that says nothing between requests', async () => {
    const target = await origin(answering(() => ok('ok')));
    const client = (await rig(target, { limits: { clientIdleMs: 100 } }).captured(ADDRESS, 80)).send(GET);
    expect(await client.over()).toBe(ok('ok'));
    expect(client.closed).toBe('ended');
  });

  test('and an HTTP/2 session on which nothing is asked', async () => {
    const target = await h2Origin((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('x');
    });
    const client = await session(rig(target, { limits: { clientIdleMs: 200 } }));
    const closed = new Promise((resolve) => client.on('close', resolve));
    expect((await follow(client.request({ ':path': '/' }))).body).toBe('x');
    await closed;
  });

  test('a ClientHello that dawdles is cut', async () => {
    const made = rig(undefined, { limits: { headMs: 100 } });
    const client = (await made.captured(ADDRESS, 443)).send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
    const started = performance.now();
    const dribble = setInterval(() => client.socket.write('\x00'), 20);
    await client.over();
    clearInterval(dribble);
    expect(performance.now() - started).toBeGreaterThan(80);
  });

  test('an upload that stalls is broken off on both sides', async () => {
    const target = await origin(() => undefined);
    const made = rig(target, { limits: { clientStallMs: 200 } });
    const client = await made.captured(ADDRESS, 80);
    client.send(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 50\r\n\r\nhalf`);
    await client.over();
    expect(client.closed).toBe('reset');
    expect((await made.recorder.ended(0)).end).toMatchObject({
      outcome: 'client_aborted',
      error: { code: 'stalled' },
    });
    await expect.poll(() => target.tcp().open, { timeout: 8000 }).toBe(0);
  });

  test('a client that stops reading is broken off, and its origin with it', async () => {
    const target = await origin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536)));
      };
      socket.on('drain', more);
      more();
    });
    const made = rig(target, { limits: { clientStallMs: 300 } });
    const client = await made.captured(ADDRESS, 80);
    client.socket.removeAllListeners('data');
    client.socket.pause();
    client.send(GET);
    expect((await made.recorder.ended(0)).end).toMatchObject({
      outcome: 'client_aborted',
      error: { code: 'stalled' },
    });
    await expect.poll(() => target.tcp().open, { timeout: 8000 }).toBe(0);
  });
});
