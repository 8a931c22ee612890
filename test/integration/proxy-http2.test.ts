import http2, { type ClientHttp2Session, type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { Connection } from '../../src/proxy/connection.ts';
import { settle } from '../helpers/client.ts';
import type { Rig } from '../helpers/client-rig.ts';
import { ADDRESS, createSuite, HOST } from '../helpers/client-suite.ts';
import { type Headers, type ServeStream, startH2Origin } from '../helpers/h2-origin.ts';
import { answering, ok } from '../helpers/origin.ts';

const suite = createSuite();
const { gateCa, rig, tlsOrigin } = suite;

const h2Origin = (serve: ServeStream) => startH2Origin(suite, serve);

interface Session {
  readonly client: ClientHttp2Session;
  readonly socket: TLSSocket;
}

async function opened(made: Rig): Promise<Session> {
  const plain = await made.captured(ADDRESS, 443);
  plain.socket.removeAllListeners('data');
  const socket = tls.connect({
    socket: plain.socket,
    ca: gateCa.ca,
    servername: HOST,
    ALPNProtocols: ['h2'],
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  expect(socket.alpnProtocol, 'HTTP/2 is agreed on').toBe('h2');
  const client = http2.connect(`https://${HOST}`, { createConnection: () => socket });
  client.on('error', () => undefined);
  suite.cleanup(async () => client.destroy());
  return { client, socket };
}

const session = async (made: Rig): Promise<ClientHttp2Session> => (await opened(made)).client;

interface Got {
  readonly status: number;
  readonly raw: string[];
  readonly informational: number[];
  body: string;
  trailers: Headers | undefined;
  error: string | undefined;
  ended: boolean;
  readonly closed: Promise<void>;
}

/** Follows a stream to its end. */
function follow(stream: ClientHttp2Stream): Promise<Got> & { got: Partial<Got> } {
  const got: Partial<Got> = { body: '', ended: false, informational: [] };
  stream.on('headers', (headers) => got.informational?.push(Number(headers[':status'])));
  stream.on('response', (headers: Headers, _flags: number, raw: string[]) => {
    Object.assign(got, { status: headers[':status'], raw });
  });
  stream.on('data', (chunk: Buffer) => {
    got.body += chunk.toString('latin1');
  });
  stream.on('trailers', (trailers) => Object.assign(got, { trailers }));
  stream.on('error', (error: Error & { code?: string }) => Object.assign(got, { error: error.code }));
  stream.on('end', () => Object.assign(got, { ended: true }));
  const all = new Promise<Got>((resolve) => stream.on('close', () => resolve(got as Got)));
  return Object.assign(all, { got });
}

const get = (path = '/'): Headers => ({ ':path': path });
const post = (path = '/'): Headers => ({ ':method': 'POST', ':path': path });

test('HTTP/2 on both sides: fields, bodies and trailers pass and are recorded', async () => {
  const seen: { raw: string[]; body: string; trailers: Headers | undefined } = {
    raw: [],
    body: '',
    trailers: undefined,
  };
  const target = await h2Origin((stream, _headers, raw) => {
    seen.raw = raw;
    stream.on('data', (chunk: Buffer) => {
      seen.body += chunk.toString();
    });
    stream.on('trailers', (trailers) => {
      seen.trailers = trailers as Headers;
    });
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-b': '1', 'set-cookie': ['a=1', 'b=2'] }, {
        waitForTrailers: true,
        sendDate: false,
      } as object);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('answer');
    });
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(
    { ...post('/svc/Method?x=1'), te: 'trailers', 'content-type': 'application/grpc' },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-up': 'done' }));
  stream.end('question');
  const got = await follow(stream);
  expect(got).toMatchObject({ status: 200, body: 'answer', ended: true });
  expect(got.trailers).toMatchObject({ 'grpc-status': '0' });
  expect(got.raw).toEqual([':status', '200', 'x-b', '1', 'set-cookie', 'a=1', 'set-cookie', 'b=2']);
  expect(seen.body).toBe('question');
  expect(seen.trailers).toMatchObject({ 'x-up': 'done' });
  expect(seen.raw).toEqual([
    ':method',
    'POST',
    ':scheme',
    'https',
    ':authority',
    `${HOST}:443`,
    ':path',
    '/svc/Method?x=1',
    'te',
    'trailers',
    'content-type',
    'application/grpc',
  ]);
  const recorded = await made.recorder.ended(0);
  expect(recorded.facts).toMatchObject({
    protocol: 'h2',
    method: 'POST',
    url: `https://${HOST}/svc/Method?x=1`,
  });
  expect(recorded.requestBytes.toString()).toBe('question');
  expect(recorded.responseBytes.toString()).toBe('answer');
  expect(recorded.response?.upstream?.protocol).toBe('h2');
  expect(recorded.end?.trailers).toEqual([['grpc-status', '0']]);
  expect(recorded.end?.outcome).toBe('complete');
});

test('an origin without HTTP/2 is spoken to in HTTP/1.1', async () => {
  const target = await tlsOrigin(
    answering((request) => ok(request.body, 'X-Case: Kept\r\nConnection: keep-alive\r\n')),
  );
  const made = rig(target);
  const client = await session(made);
  for (const round of ['one', 'two']) {
    const stream = client.request({ ...post(), cookie: ['a=1', 'b=2'] });
    stream.end(round);
    const got = await follow(stream);
    expect(got).toMatchObject({ status: 200 });
    expect(got.body).toContain(round);
    expect(got.raw).toContain('x-case');
    expect(got.raw).not.toContain('connection');
  }
  expect(target.received()).toContain('cookie: a=1; b=2\r\n');
  expect(target.connections).toHaveLength(1);
});

test('a length of nothing on a stream that goes on does not reach the origin beside a coding', async () => {
  const target = await tlsOrigin(answering(() => ok('done')));
  const made = rig(target);
  const client = await session(made);
  const stream = client.request({ ...post(), 'content-length': '0' });
  const following = follow(stream);
  stream.end();
  await following;
  const head = target.received().toLowerCase();
  expect(head.includes('content-length') && head.includes('transfer-encoding')).toBe(false);
});

test('a hundred streams at once share one connection to the origin', async () => {
  const target = await h2Origin((stream, headers) => {
    stream.respond({ ':status': 200 });
    setTimeout(() => stream.end(String(headers[':path'])), 5);
  });
  const made = rig(target);
  const client = await session(made);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => follow(client.request(get(`/${index}`)))),
  );
  expect(answers.map((got) => got.body)).toEqual(Array.from({ length: 100 }, (_, index) => `/${index}`));
  expect(target.sockets).toHaveLength(1);
});

test('bidirectional streams: each piece arrives before the next is sent', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.on('data', (chunk: Buffer) => stream.write(`echo:${chunk}`));
    stream.on('end', () => stream.end());
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(post());
  const following = follow(stream);
  for (const word of ['one', 'two', 'three']) {
    stream.write(word);
    await made.recorder.until(() => (following.got.body?.endsWith(`echo:${word}`) ? true : undefined));
  }
  stream.end();
  expect((await following).ended).toBe(true);
  expect((await made.recorder.ended(0)).requestBytes.toString()).toBe('onetwothree');
});

test('the end of the stream waits for the end to be flushed', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('all');
  });
  const made = rig(target);
  let allow: () => void = () => undefined;
  made.recorder.gate = (step) =>
    step === 'end' ? new Promise((resolve) => (allow = resolve)) : Promise.resolve();
  const client = await session(made);
  const following = follow(client.request(get()));
  await made.recorder.until(() => made.recorder.exchanges[0]?.response);
  await settle();
  expect(following.got.ended).toBe(false);
  allow();
  expect(await following).toMatchObject({ body: 'all', ended: true });
});

test('nothing goes upstream before the request is written', async () => {
  let streams = 0;
  const target = await h2Origin((stream) => {
    streams += 1;
    stream.respond({ ':status': 204 }, { endStream: true });
  });
  const made = rig(target);
  let allow: () => void = () => undefined;
  made.recorder.gate = (step) =>
    step === 'request' ? new Promise((resolve) => (allow = resolve)) : Promise.resolve();
  const client = await session(made);
  const following = follow(client.request(get()));
  await made.recorder.until(() => made.recorder.exchanges[0]);
  await settle();
  expect(target.sockets).toHaveLength(0);
  allow();
  expect((await following).status).toBe(204);
  expect(streams).toBe(1);
});

test('each stream is decided on by its own authority', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('fine');
  });
  const made = rig(target);
  const client = await session(made);
  expect((await follow(client.request(get()))).body).toBe('fine');
  const other = await follow(client.request({ ...get(), ':authority': 'other.test' }));
  expect(other.status).toBe(421);
  expect(other.raw).toContain('host_mismatch');
  const twoHosts = await follow(client.request({ ...get(), host: 'other.test' }));
  expect(twoHosts.status).toBe(421);
  expect((await follow(client.request(get()))).body).toBe('fine');
  expect(made.recorder.exchanges.map((each) => each.end?.outcome)).toEqual([
    'complete',
    'denied',
    'denied',
    'complete',
  ]);
});

test('a denied host is told why on its stream', async () => {
  const made = rig(undefined, { deny: [HOST] });
  const client = await session(made);
  const stream = client.request(post());
  stream.end('secret');
  const got = await follow(stream);
  expect(got.status).toBe(403);
  expect(got.raw).toContain('denylisted');
  expect(JSON.parse(got.body).error.reason).toBe('denylisted');
  expect(made.recorder.exchanges[0]?.requestBytes.toString()).toBe('secret');
});

test.each([
  ['resets the stream', (stream: ServerHttp2Stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)],
  ['cancels the stream', (stream: ServerHttp2Stream) => stream.close(http2.constants.NGHTTP2_CANCEL)],
  ['ends its session', (stream: ServerHttp2Stream) => stream.session?.destroy()],
  ['drops the connection', (_stream: ServerHttp2Stream, socket: Socket | undefined) => socket?.destroy()],
])('an origin that %s in the middle: the client sees a reset, not an end', async (_name, act) => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.write('partial');
    setTimeout(() => act(stream, target.sockets.at(-1)), 40);
  });
  const made = rig(target);
  const client = await session(made);
  const got = await follow(client.request(get()));
  expect(got.body).toBe('partial');
  expect(got.ended).toBe(false);
  expect(got.error).toBe('ERR_HTTP2_STREAM_ERROR');
  expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_reset');
});

test('a client that resets its stream stops the call upstream; others go on', async () => {
  let closed = 0;
  const target = await h2Origin((stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.write('x');
    stream.on('close', () => {
      closed += 1;
    });
    if (headers[':path'] === '/short') stream.end();
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(get('/long'));
  const following = follow(stream);
  await made.recorder.until(() => (following.got.body === 'x' ? true : undefined));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
  await made.recorder.until(() => (closed === 1 ? true : undefined));
  expect(await follow(client.request(get('/short')))).toMatchObject({ body: 'x', ended: true });
  expect(target.sockets).toHaveLength(1);
});

test('after GOAWAY the next request takes a new connection', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('x');
    stream.session?.goaway();
  });
  const made = rig(target);
  const client = await session(made);
  for (let round = 0; round < 3; round += 1) {
    expect(await follow(client.request(get()))).toMatchObject({ body: 'x', ended: true });
    await settle(20);
  }
  expect(target.sockets).toHaveLength(3);
});

test('20 MB pass through a slow reader with bounded memory, whole and in order', async () => {
  const total = 20 * 1024 * 1024;
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200, 'content-length': total });
    const block = Buffer.alloc(64 * 1024, 'y');
    let sent = 0;
    const more = (): void => {
      while (sent < total) {
        sent += block.length;
        if (!stream.write(block)) break;
      }
      if (sent >= total) stream.end();
    };
    stream.on('drain', more);
    more();
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(get());
  await new Promise((resolve) => stream.once('response', resolve));
  await settle(300);
  const before = made.recorder.exchanges[0]?.responseBytes.length ?? 0;
  expect(before).toBeLessThan(8 * 1024 * 1024);
  let got = 0;
  stream.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  await new Promise((resolve) => stream.once('end', resolve));
  expect(got).toBe(total);
});

test('a 5 MB upload arrives whole', async () => {
  const total = 5 * 1024 * 1024;
  const target = await h2Origin((stream) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(String(bytes));
    });
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(post());
  stream.end(Buffer.alloc(total, 'u'));
  expect((await follow(stream)).body).toBe(String(total));
  expect(made.recorder.exchanges[0]?.requestBytes.length).toBe(total);
});

test('103 passes; extended CONNECT and CONNECT are refused; the session lives on', async () => {
  const target = await h2Origin((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200 });
    stream.end('x');
  });
  const made = rig(target);
  const client = await session(made);
  expect(client.remoteSettings?.enableConnectProtocol ?? false).toBe(false);
  expect((await follow(client.request(get()))).informational).toEqual([103]);
  expect(made.recorder.exchanges[0]?.informational).toMatchObject([
    { status: 103, headers: [['link', '</a>']] },
  ]);
  const connect = await follow(client.request({ ':method': 'CONNECT', ':authority': `${HOST}:443` }));
  expect(connect.status).toBe(405);
  expect((await follow(client.request(get()))).body).toBe('x');
});

test('stop ends streams as gate_stopped', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('x');
  });
  const made = rig(target, { about: 'a way to be stopped in the middle' });
  const client = await session(made);
  const following = follow(client.request(get()));
  await made.recorder.until(() => (following.got.body === 'x' ? true : undefined));
  await made.engine.stop();
  expect(made.recorder.exchanges[0]?.end?.outcome).toBe('gate_stopped');
  expect((await following).ended).toBe(false);
});

test('audit failure: 503 on the stream, a reset once something was released', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('part');
    setTimeout(() => stream.write('more'), 50);
  });
  const made = rig(target, { about: 'its record, held or failing' });
  const client = await session(made);
  made.recorder.gate = (step) => (step === 'request' ? Promise.reject(new Error('full')) : Promise.resolve());
  const refused = await follow(client.request(get()));
  expect(refused.status).toBe(503);
  expect(refused.raw).toContain('audit_unavailable');
  let pieces = 0;
  made.recorder.gate = (step) => {
    if (step === 'responseData') pieces += 1;
    return pieces > 1 ? Promise.reject(new Error('full')) : Promise.resolve();
  };
  const cut = await follow(client.request(get()));
  expect(cut).toMatchObject({ body: 'part', ended: false });
});

test.each(['end', 'destroy'] as const)(
  'a client connection that goes (%s) stops its streams',
  async (how) => {
    const target = await h2Origin((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('x');
    });
    const made = rig(target);
    const { client, socket } = await opened(made);
    const following = follow(client.request(get()));
    await made.recorder.until(() => (following.got.body === 'x' ? true : undefined));
    socket[how]();
    expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
  },
);

test('an early answer to a long upload is whole', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 413 });
    stream.end('too much');
  });
  const made = rig(target);
  const client = await session(made);
  const stream = client.request(post());
  stream.write(Buffer.alloc(100_000));
  const got = await follow(stream);
  expect(got).toMatchObject({ status: 413, body: 'too much', ended: true });
  expect((await made.recorder.ended(0)).end?.outcome).toBe('complete');
});

test('h2c with prior knowledge is closed and recorded', async () => {
  const made = rig(undefined);
  const client = await made.captured(ADDRESS, 80);
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await client.over();
  expect(made.recorder.refusals).toMatchObject([{ proto: 'h2c', host: HOST, port: 80 }]);
});

test('nothing of a connection stays in memory when it is over, on neither side', async () => {
  const target = await h2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const made = rig(target, { about: 'its own memory' });
  const clients: ClientHttp2Session[] = [];
  for (let n = 0; n < 10; n += 1) {
    const client = await session(made);
    await follow(client.request(get()));
    clients.push(client);
    client.close();
    // The next one needs a new connection to the origin.
    for (const socket of target.sockets) socket.destroy();
  }
  expect(target.sockets.length).toBeGreaterThan(5);
  const count = (of: object): number => queryObjects(of as typeof Object, { format: 'count' });
  const sessions = clients[0]?.constructor ?? Object;
  // Those of the test are held here.
  const left = (): string => `${count(Connection)}, ${count(sessions) - clients.length}`;
  await expect.poll(left, { timeout: 10_000, interval: 100 }).toBe('0, 0');
});
