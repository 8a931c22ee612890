import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createAddressPool } from '../../src/proxy/dns/pool.ts';
import { createDnsServer } from '../../src/proxy/dns/server.ts';
import { type Client, connectClient } from '../helpers/client.ts';
import { deflated, frame, handshake, switching } from '../helpers/client-frames.ts';
import type { Rig } from '../helpers/client-rig.ts';
import { ADDRESS, createSuite, HOST } from '../helpers/client-suite.ts';
import { createDice, type Dice, h2Frame, hpack, mutated, pieces } from '../helpers/fuzz.ts';
import { answering, ok } from '../helpers/origin.ts';
import { question } from '../unit/dns/question.ts';

/**
 * Broken bytes at every entry point: nothing crashes, nothing hangs, and who comes next is served. `FUZZ_SEED` finds
 * again what a failure names (nearly, where origins answer several clients at once); `FUZZ_MS` is the time for each entry point.
 */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const MS = Number(process.env['FUZZ_MS'] ?? 3000);
/** How long gate may take to let go of a client that has said all it will ever say. */
const LET_GO_MS = 10_000;
const AT_ONCE = 8;

const suite = createSuite();
const limits = {
  ...{ headMs: 1000, clientIdleMs: 1000, clientStallMs: 1500, upstreamIdleMs: 1500 },
  ...{ connectMs: 1500, lingerMs: 200, serverFirstMs: 50, poolIdleMs: 500 },
};
const latin1 = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text, 'latin1'));

const HEADS = latin1(
  `GET /a?b=c HTTP/1.1\r\nHost: ${HOST}\r\nAccept: */*\r\nCookie: a=b\r\n\r\n`,
  `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello`,
  `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n`,
  `PUT / HTTP/1.1\r\nHost: ${HOST}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close, te\r\nTE: trailers\r\n\r\n`,
  `GET http://${HOST}/x HTTP/1.1\r\nHost: ${HOST}\r\nProxy-Authorization: Basic eDp5\r\n\r\n`,
  `CONNECT ${HOST}:443 HTTP/1.1\r\nHost: ${HOST}:443\r\n\r\n`,
  handshake(HOST),
);
const ANSWERS = latin1(
  ok('hello', 'Content-Type: text/plain\r\n'),
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "x"\r\n\r\n',
  `${switching()}\x81\x05hello`,
);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const H2_HEAD = hpack([
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', HOST],
  [':path', '/x'],
  ['te', 'trailers'],
]);
const SETTINGS = h2Frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 255, 255]));
const H2_CLIENT = [
  Buffer.concat([PREFACE, SETTINGS, h2Frame(1, 4, 1, H2_HEAD), h2Frame(0, 1, 1, Buffer.from('hello'))]),
  Buffer.concat([
    PREFACE,
    SETTINGS,
    h2Frame(1, 5, 1, H2_HEAD),
    h2Frame(3, 0, 1, Buffer.alloc(4)),
    h2Frame(6, 0, 0, Buffer.alloc(8)),
  ]),
  Buffer.concat([
    PREFACE,
    SETTINGS,
    h2Frame(1, 0, 1, H2_HEAD.subarray(0, 9)),
    h2Frame(9, 4, 1, H2_HEAD.subarray(9)),
    h2Frame(0, 1, 1, Buffer.alloc(0)),
  ]),
  Buffer.concat([
    PREFACE,
    SETTINGS,
    h2Frame(8, 0, 0, Buffer.from([127, 255, 255, 255])),
    h2Frame(2, 0, 3, Buffer.alloc(5)),
    h2Frame(7, 0, 0, Buffer.alloc(8)),
  ]),
];
const H2_ORIGIN = [
  Buffer.concat([
    SETTINGS,
    h2Frame(4, 1, 0, Buffer.alloc(0)),
    h2Frame(1, 4, 1, hpack([[':status', '200']])),
    h2Frame(0, 1, 1, Buffer.from('hello')),
  ]),
  Buffer.concat([
    SETTINGS,
    h2Frame(1, 4, 1, hpack([[':status', '103']])),
    h2Frame(1, 5, 1, hpack([[':status', '204']])),
  ]),
  Buffer.concat([
    SETTINGS,
    h2Frame(7, 0, 0, Buffer.alloc(8)),
    h2Frame(3, 0, 1, Buffer.from([0, 0, 0, 7])),
    h2Frame(5, 4, 1, Buffer.alloc(8)),
  ]),
];
const FRAMES = [
  ...[frame('hello', { mask: true }), frame(Buffer.alloc(70_000, 7), { opcode: 2, mask: true })],
  ...[frame('part', { fin: false, mask: true }), frame('', { opcode: 9, mask: true })],
  ...[
    frame(deflated('squeezed'), { rsv1: true, mask: true }),
    frame(Buffer.from([3, 232]), { opcode: 8, mask: true }),
  ],
];

/** Runs `attack` again and again, several at once, until the time is over; each has dice of its own. */
async function during(attack: (dice: Dice) => Promise<void>): Promise<number> {
  const until = Date.now() + MS;
  let seed = SEED;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (Date.now() < until) {
      seed += 1;
      const mine = seed;
      await attack(createDice(mine)).catch((error: unknown) => {
        throw new Error(`with FUZZ_SEED=${mine - 1}: ${String(error)}`, { cause: error });
      });
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

/** Says all of it, ends its side, and wants to be let go. */
async function say(client: Client, dice: Dice, bytes: Buffer): Promise<void> {
  for (const piece of pieces(dice, bytes)) {
    if (client.socket.writable) client.send(piece);
    if (dice.roll(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (dice.roll(2) === 0) await new Promise((resolve) => setTimeout(resolve, dice.roll(60)));
  if (dice.roll(8) === 0) client.destroy();
  else client.socket.end();
  client.socket.resume();
  const timer = AbortSignal.timeout(LET_GO_MS);
  while (!client.socket.closed && client.closed === 'no') {
    if (timer.aborted)
      throw new Error(`not let go after ${JSON.stringify(bytes.toString('latin1').slice(0, 2000))}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  client.destroy();
}

/** A listener that gives each connection to the engine, for many connections one after another. */
async function door(made: Rig, port: number): Promise<() => Promise<Client>> {
  const listening = await made.capturedPort(ADDRESS, port);
  return () => connectClient(listening);
}

async function served(made: Rig): Promise<void> {
  const client = await suite.securely(made);
  client.send(`GET /last HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  expect(await client.saw('fine')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  client.destroy();
}

const FINE = answering(() => ok('fine'));

describe(`broken bytes (FUZZ_SEED=${SEED})`, () => {
  test('of a TLS client', async () => {
    const made = suite.rig(await suite.tlsOrigin(FINE), { limits });
    const open = await door(made, 443);
    const hello = await clientHello();
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 48]);
    const count = await during(async (dice) => say(await open(), dice, mutated(dice, [hello, hello, alert])));
    await served(made);
    expect(count).toBeGreaterThan(20);
  }, 60_000);

  test.each([80, 8080])(
    'of an HTTP/1 client on port %i',
    async (port) => {
      const made = suite.rig(await suite.origin(FINE), { limits });
      const open = await door(made, port);
      await during(async (dice) => say(await open(), dice, mutated(dice, HEADS)));
      const client = await open();
      client.send(`GET /last HTTP/1.1\r\nHost: ${HOST}${port === 80 ? '' : `:${port}`}\r\n\r\n`);
      await client.saw('fine');
      expect(made.recorder.refusals.length).toBeGreaterThan(0);
      expect(made.recorder.exchanges.length).toBeGreaterThan(0);
      await allEnded(made);
    },
    60_000,
  );

  test('of a client of the proxy', async () => {
    const made = suite.rig(await suite.tlsOrigin(FINE), { limits });
    const port = await made.proxyPort();
    await during(async (dice) => say(await connectClient(port), dice, mutated(dice, HEADS)));
    await served(made);
    await allEnded(made);
  }, 60_000);

  test('of an HTTP/1 origin', async () => {
    let dice = createDice(SEED);
    let answer = (): Buffer => mutated(dice, ANSWERS);
    const target = await suite.tlsOrigin((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write(answer());
      if (dice.roll(2) === 0) socket.end();
    });
    const made = suite.rig(target, { limits });
    const open = await door(made, 443);
    await during(async (own) => {
      dice = own;
      const client = await (await open()).secure({ ca: suite.gateCa.ca, servername: HOST });
      await say(client, createDice(1), own.pick([HEADS[0], HEADS[7]].flatMap((head) => head ?? [])));
    });
    answer = () => Buffer.from(ok('fine'));
    await servedEventually(made);
    await allEnded(made);
  }, 60_000);

  test('of an HTTP/2 client', async () => {
    const made = suite.rig(await suite.tlsOrigin(FINE), { limits });
    const open = await door(made, 443);
    await during(async (dice) => say(await h2Client(open), dice, mutated(dice, H2_CLIENT)));
    await served(made);
    expect(made.recorder.exchanges.length).toBeGreaterThan(1);
    await allEnded(made);
  }, 60_000);

  test('of an HTTP/2 origin', async () => {
    let dice = createDice(SEED);
    const server = tls.createServer(
      { ...suite.originCa.issue([HOST]), ALPNProtocols: ['h2'] },
      (socket: Socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write(mutated(dice, H2_ORIGIN));
          if (dice.roll(2) === 0) socket.end();
        });
      },
    );
    server.on('tlsClientError', () => undefined);
    const port = await listening(server);
    const made = suite.rig({ port }, { limits });
    const open = await door(made, 443);
    await during(async (own) => {
      dice = own;
      await say(await h2Client(open), createDice(2), H2_CLIENT[0] ?? Buffer.alloc(0));
    });
    await allEnded(made);
    expect(made.recorder.exchanges.length).toBeGreaterThan(1);
  }, 60_000);

  test.each(['client', 'server'] as const)(
    'of a WebSocket %s',
    async (side) => {
      let dice = createDice(SEED);
      const unmasked = FRAMES.map((each, at) =>
        at === 1 ? frame(Buffer.alloc(70_000, 7), { opcode: 2 }) : frame(each.subarray(0, 9)),
      );
      const target = await suite.tlsOrigin((socket, text) => {
        if (text.startsWith('GET /last')) socket.write(ok('fine'));
        if (!text.endsWith('\r\n\r\n') || !text.includes('Upgrade')) return;
        socket.write(switching(dice.roll(2) === 0 ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : ''));
        if (side === 'server') for (const piece of pieces(dice, mutated(dice, unmasked))) socket.write(piece);
        socket.on('end', () => socket.end());
      });
      const made = suite.rig(target, { limits });
      const open = await door(made, 443);
      await during(async (own) => {
        dice = own;
        const client = await (await open()).secure({ ca: suite.gateCa.ca, servername: HOST });
        client.send(handshake(HOST, '/ws', 'Sec-WebSocket-Extensions: permessage-deflate\r\n'));
        await client.saw('\r\n\r\n');
        await say(client, own, side === 'client' ? mutated(own, FRAMES) : Buffer.alloc(0));
      });
      await served(made);
      await allEnded(made);
    },
    60_000,
  );

  test('of clients of the resolver', async () => {
    const dns = createDnsServer({
      pool: createAddressPool(),
      recorder: { dns: () => undefined, refused: () => undefined },
    });
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const server = net.createServer();
    const port = await listening(server);
    dns.attachUdp(udp);
    dns.attachTcp(server);
    suite.cleanup(async () => {
      dns.stop();
      udp.close();
    });
    const seeds = [
      question('api.example.test', 1),
      question('x.y', 255),
      question('', 2),
      question(`${'a'.repeat(63)}.b`, 28),
    ];
    const client = createSocket('udp4');
    await during(async (dice) => {
      for (let left = 20; left > 0; left -= 1)
        client.send(mutated(dice, seeds), udp.address().port, '127.0.0.1');
      const bytes = mutated(dice, seeds);
      const framed = Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
      await say(await connectClient(port), dice, mutated(dice, [framed]));
    });
    client.close();
    const asking = createSocket('udp4');
    suite.cleanup(async () => void asking.close());
    const reply = once(asking, 'message');
    asking.send(question('after.test', 1), udp.address().port, '127.0.0.1');
    const [bytes] = (await reply) as [Buffer];
    expect(bytes.readUInt16BE(6)).toBe(1);
  }, 60_000);
});

/** Everything that began has its end, and soon. */
async function allEnded(made: Rig): Promise<void> {
  const open = () => made.recorder.exchanges.filter(({ end }) => end === undefined);
  const timer = AbortSignal.timeout(LET_GO_MS);
  while (open().length > 0) {
    if (timer.aborted) throw new Error(`without an end: ${JSON.stringify(open().map(({ facts }) => facts))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Broken answers may still lie in kept connections: they are used up first. */
async function servedEventually(made: Rig): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await served(made);
    } catch (error) {
      if (tries === 40) throw error;
    }
  }
}

async function h2Client(open: () => Promise<Client>): Promise<Client> {
  return (await open()).secure({ ca: suite.gateCa.ca, servername: HOST, ALPNProtocols: ['h2'] });
}

/** The first bytes that a TLS client of node says. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer();
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = tls.connect({
    port,
    host: '127.0.0.1',
    servername: HOST,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  client.on('error', () => undefined);
  const [socket] = (await accepted) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  return bytes;
}

async function listening(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  suite.cleanup(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}
