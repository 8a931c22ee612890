import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Client, refused, settle, within } from '../helpers/client.ts';
import { BY_CONNECT, type Rig, type RigOptions } from '../helpers/client-rig.ts';
import { ADDRESS, createSuite, HOST } from '../helpers/client-suite.ts';
import { answering, type Origin, ok, requestsIn } from '../helpers/origin.ts';
import { skipBecause } from '../helpers/skips.ts';

const { gateCa, origin, rig, securely, tlsOrigin } = createSuite();

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

type Probe = (made: Rig, target: Origin) => Promise<void>;

/** An origin that must never be reached. */
async function untouched(probe: Probe, options: Partial<RigOptions> = {}): Promise<void> {
  const target = await origin(answering(() => ok('reached')));
  const made = rig(target, options);
  await probe(made, target);
  await settle(20);
  expect(target.connections, 'the origin was reached').toHaveLength(0);
}

async function connectTo(made: Rig, target: string, fields = ''): Promise<Client> {
  const client = await made.proxy();
  return client.send(`CONNECT ${target} HTTP/1.1\r\n${fields}\r\n`);
}

describe('names in CONNECT that are none', () => {
  test.each([
    ['no port', HOST],
    ['port 0', `${HOST}:0`],
    ['port 65536', `${HOST}:65536`],
    ['port with a sign', `${HOST}:+443`],
    ['a word for a port', `${HOST}:https`],
    ['no host', ':443'],
    ['userinfo', `user@${HOST}:443`],
    ['a percent sign', 'api%2eexample.test:443'],
    ['a backslash', 'api\\example.test:443'],
    ['an empty label', 'api..example.test:443'],
    ['a label of 64', `${'a'.repeat(64)}.test:443`],
    ['254 bytes', `${'a.'.repeat(126)}aa:443`],
    ['a zone id', '[fe80::1%25eth0]:443'],
    ['IPv6 without brackets', '::1:443'],
    ['an unclosed bracket', '[::1:443'],
    ['a URL', `https://${HOST}:443`],
    ['a name that ends in a number', 'host.256:443'],
  ])('%s', async (_name, target) => {
    await untouched(async (made) => {
      const client = await connectTo(made, target);
      expect(await client.answer()).toMatch(/^HTTP\/1\.1 400 /);
      const text = await client.over();
      await made.gateOnly(async () => {
        expect(text).toContain('x-gate-block: bad_host\r\n');
        const recorded = await made.recorder.ended(0);
        expect(recorded.facts).toMatchObject({ method: 'CONNECT', decision: { reason: 'bad_host' } });
      });
    });
  });

  test.each([
    ['NUL', `CONNECT api\x00.test:443 HTTP/1.1\r\n\r\n`],
    ['a space', `CONNECT api .test:443 HTTP/1.1\r\n\r\n`],
    ['a body', `CONNECT ${HOST}:443 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx`],
  ])('%s is no request', async (_name, bytes) => {
    await untouched(async (made) => {
      const client = (await made.proxy()).send(bytes);
      expect(await client.over()).toMatch(/^HTTP\/1\.1 400 /);
      await made.gateOnly(() => expect(made.recorder.refusals).toHaveLength(1));
    });
  });
});

describe('this machine, in every spelling', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
    'localhost',
    'LOCALHOST.',
    '１２７.0.0.1',
    '169.254.169.254',
  ])('%s is a private destination', async (host) => {
    const probe: Probe = async (made) => {
      const wire = Buffer.from(`CONNECT ${host}:80 HTTP/1.1\r\n\r\n`, 'utf8');
      const client = (await made.proxy()).send(wire);
      await client.saw('200 Connection Established');
      client.send(Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'utf8'));
      expect(await client.saw('"error"')).toContain('x-gate-block: private_destination\r\n');
    };
    await untouched(probe, { about: 'its policy' });
  });
});

describe('spellings that agree', () => {
  test.each([
    ['case and trailing dot', HOST, `${HOST.toUpperCase()}.`],
    ['soft hyphen', HOST, 'api.exam\u00adple.test'],
    ['full-width letters', HOST, 'ａｐｉ.example.test'],
    ['a port in Host', HOST, `${HOST}:80`],
    ['the address that DNS gave', ADDRESS, HOST],
    ['DNS address in Host', HOST, ADDRESS],
  ])('%s', async (_name, target, host) => {
    const reached = await origin(answering(() => ok('reached')));
    const made = rig(reached, [target, host].includes(ADDRESS) ? { about: 'its DNS' } : {});
    const client = await connectTo(made, `${target}:80`);
    await client.saw('\r\n\r\n');
    client.send(Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'utf8'));
    await client.saw('reached');
    expect((await made.recorder.ended(0)).facts).toMatchObject({ host: HOST, url: `http://${HOST}/` });
  });
});

describe('the host of a captured request', () => {
  test.each([
    ['two Host fields', `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: ${HOST}\r\n\r\n`, 'bad_host'],
    ['no Host field', 'GET / HTTP/1.1\r\n\r\n', 'bad_host'],
    ['an empty Host field', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'bad_host'],
    ['userinfo', `GET / HTTP/1.1\r\nHost: a@${HOST}\r\n\r\n`, 'bad_host'],
    ['two hosts in one', `GET / HTTP/1.1\r\nHost: ${HOST}, other.test\r\n\r\n`, 'bad_host'],
    ['another name', 'GET / HTTP/1.1\r\nHost: other.test\r\n\r\n', 'host_mismatch'],
    ['a parent name', 'GET / HTTP/1.1\r\nHost: example.test\r\n\r\n', 'host_mismatch'],
    ['an address', 'GET / HTTP/1.1\r\nHost: 93.184.216.34\r\n\r\n', 'host_mismatch'],
    ['another URL', `GET http://other.test/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, 'host_mismatch'],
  ])('%s is refused', async (_name, bytes, reason) => {
    await untouched(async (made) => {
      const client = (await made.captured(ADDRESS, 80)).send(bytes);
      await refused(client);
      await made.gateOnly(async () => {
        expect(await client.saw('"error"')).toContain(`x-gate-block: ${reason}\r\n`);
        expect((await made.recorder.ended(0)).end?.outcome).toBe('denied');
      });
    });
  });

  const named = BY_CONNECT && 'a CONNECT always says a name';
  test('an address that DNS did not give: Host decides, request by request', skipBecause(named), async () => {
    const target = await origin(answering(() => ok('reached')));
    const made = rig(target, { deny: ['denied.test'] });
    const client = await made.captured('93.184.216.34', 80);
    client.send(GET);
    await client.saw('reached');
    client.send('GET / HTTP/1.1\r\nHost: denied.test\r\n\r\n');
    await client.saw('denylisted');
    expect(made.recorder.exchanges[0]?.facts).toMatchObject({ host: HOST, address: '93.184.216.34' });
    expect(target.received()).not.toContain('denied');
  });

  test('an address that DNS did not give: SNI decides, and Host must agree', skipBecause(named), async () => {
    const target = await tlsOrigin(answering(() => ok('reached')));
    const made = rig(target);
    const client = await (await made.captured('93.184.216.34', 443)).secure({
      ca: gateCa.ca,
      servername: HOST,
    });
    client.send(GET);
    await client.saw('reached');
    client.send('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
    await client.saw('host_mismatch');
  });

  test('a service of the host: loopback in any spelling, and nothing else', skipBecause(named), async () => {
    const target = await origin(answering(() => ok('local')));
    const resolve = [{ host: 'localhost', port: 11_434, address: '127.0.0.1', addressPort: target.port }];
    const made = rig(target, { resolve });
    const client = await made.captured('::ffff:127.0.0.1', 11_434);
    for (const host of ['localhost:11434', '127.0.0.1:11434', '[::1]:11434']) {
      client.send(`GET /${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await made.recorder.ended(made.recorder.exchanges.length);
    }
    client.send('GET / HTTP/1.1\r\nHost: rebound.test:11434\r\n\r\n');
    await client.saw('host_mismatch');
    expect(made.recorder.exchanges[0]?.facts).toMatchObject({ host: 'localhost', address: '127.0.0.1' });
    expect(target.received()).not.toContain('rebound');
  });
});

describe('what is not HTTP', () => {
  test('CONNECT within CONNECT', async () => {
    await untouched(async (made) => {
      const client = await connectTo(made, `${HOST}:80`);
      const from = (await client.saw('\r\n\r\n')).length;
      client.send('CONNECT other.test:80 HTTP/1.1\r\n\r\n');
      await refused(client, from);
      expect(await client.over()).toContain('HTTP/1.1 405 ');
      await made.gateOnly(() =>
        expect(made.recorder.refusals[0]).toMatchObject({ reason: 'nested_connect', host: HOST }),
      );
    });
  });

  test('CONNECT on a captured port', async () => {
    await untouched(async (made) => {
      const client = (await made.captured(ADDRESS, 80)).send(`CONNECT ${HOST}:443 HTTP/1.1\r\n\r\n`);
      await refused(client);
      expect(await client.over()).toContain('HTTP/1.1 405 ');
    });
  });

  test('a plain request to the proxy itself', async () => {
    await untouched(async (made) => {
      const client = (await made.proxy()).send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      await refused(client);
      await made.gateOnly(async () => expect(await client.over()).toContain('not_a_proxy_request'));
    });
  });

  test('TLS to the proxy itself', async () => {
    await untouched(async (made) => {
      await expect((await made.proxy()).secure({ ca: gateCa.ca, servername: HOST })).rejects.toThrow();
      await made.gateOnly(() =>
        expect(made.recorder.refusals[0]).toMatchObject({ proto: 'tls', reason: 'unreadable_protocol' }),
      );
    });
  });

  test('TLS in TLS, and SSH in TLS', async () => {
    await untouched(async (made) => {
      for (const bytes of ['\x16\x03\x01\x00\x05hello', 'SSH-2.0-OpenSSH_9.6\r\n']) {
        const client = await securely(made);
        client.send(bytes);
        await client.over();
      }
      await made.gateOnly(() =>
        expect(made.recorder.refusals.map((each) => each.reason)).toEqual([
          'unreadable_protocol',
          'unreadable_protocol',
        ]),
      );
    });
  });

  test('SSH on a captured port', async () => {
    await untouched(async (made) => {
      const client = (await made.captured(ADDRESS, 80)).send('SSH-2.0-OpenSSH_9.6\r\n');
      await client.over();
      await made.gateOnly(() =>
        expect(made.recorder.refusals).toMatchObject([
          { proto: 'tcp', reason: 'unreadable_protocol', port: 80 },
        ]),
      );
    });
  });

  test('a ClientHello that is cut short, then none at all', async () => {
    await untouched(async (made) => {
      const client = (await made.captured(ADDRESS, 443)).send('\x16\x03\x01\x02\x00\x01\x00');
      client.socket.end();
      await client.over();
      const other = (await made.captured(ADDRESS, 443)).send('\x16\x03\x01\x00\x04\x02\x00\x00\x00');
      await other.over();
      await made.gateOnly(() => expect(made.recorder.refusals).toHaveLength(2));
    });
  });

  test('an ALPN that gate cannot read', async () => {
    await untouched(async (made) => {
      const client = await made.captured(ADDRESS, 443);
      await expect(
        client.secure({ ca: gateCa.ca, servername: HOST, ALPNProtocols: ['mqtt'] }),
      ).rejects.toThrow();
      await made.gateOnly(() =>
        expect(made.recorder.refusals).toMatchObject([
          { proto: 'tls', reason: 'unreadable_protocol', host: HOST },
        ]),
      );
    });
  });

  test('a ClientHello that comes byte by byte', async () => {
    const target = await tlsOrigin(answering(() => ok('patient')));
    const { socket } = await rig(target).captured(ADDRESS, 443);
    socket.removeAllListeners('data');
    let hello = true;
    const dribbling = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _encoding, done) => {
        for (const byte of hello ? bytes : []) socket.write(Buffer.from([byte]));
        if (!hello) socket.write(bytes);
        hello = false;
        done();
      },
    });
    socket.on('data', (chunk: Buffer) => dribbling.push(chunk));
    const secured = tls.connect({ socket: dribbling, ca: gateCa.ca, servername: HOST });
    const client = new Client(secured);
    client.send(GET);
    expect(await client.saw('patient')).toContain('200 OK');
    socket.destroy();
  });
});

describe('limits', () => {
  test('a head of more than 64 kB is 431', async () => {
    await untouched(async (made) => {
      const client = await made.captured(ADDRESS, 80);
      client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`);
      expect(await client.over()).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  test('endless fields are 431', async () => {
    await untouched(async (made) => {
      const client = await made.captured(ADDRESS, 80);
      client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n`);
      for (let round = 0; round < 80; round += 1) client.send(`X-${round}: ${'a'.repeat(1000)}\r\n`);
      expect(await client.over()).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  test('a head of 60 kB passes', async () => {
    const target = await origin(answering(() => ok('fits')));
    const client = await rig(target).captured(ADDRESS, 80);
    client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: ${'a'.repeat(60_000)}\r\n\r\n`);
    await client.saw('fits');
  });

  test('a head that dawdles is cut', async () => {
    const made = rig(undefined, { limits: { headMs: 80 } });
    const client = await made.captured(ADDRESS, 80);
    client.send('GET / HTTP/1.1\r\n');
    const dribble = setInterval(() => client.socket.write('X: 1\r\n'), 20);
    await client.over();
    clearInterval(dribble);
  });

  test('an origin that says nothing is 504', async () => {
    const target = await origin(() => undefined);
    const made = rig(target, { limits: { upstreamIdleMs: 80 } });
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    const text = await client.saw('"error"');
    expect(text).toMatch(/^HTTP\/1\.1 504 .*x-gate-error: timeout\r\n/s);
    expect((await made.recorder.ended(0)).end?.outcome).toBe('timeout');
  });

  test('an origin that goes silent in the middle is a reset', async () => {
    const target = await origin((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    const made = rig(target, { limits: { upstreamIdleMs: 80 } });
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    await client.over();
    expect(client.closed).toBe('reset');
    expect((await made.recorder.ended(0)).end?.outcome).toBe('timeout');
  });

  test('200 connections at once are all served', async () => {
    const target = await origin(answering((request) => ok(request.head.split(' ')[1] ?? '')));
    const made = rig(target);
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = await made.captured(ADDRESS, 80);
        client.send(`GET /n${index} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
        await client.saw(new RegExp(`/n${index}$`));
        client.destroy();
      }),
    );
    expect(made.recorder.exchanges).toHaveLength(200);
  });
});

describe('bodies', () => {
  test.each<readonly [string, string, string?]>([
    ['an overlong extension', `1;${'x'.repeat(5000)}\r\na\r\n0\r\n\r\n`, 'its limits'],
    ['a huge size', `${'f'.repeat(16)}\r\na\r\n0\r\n\r\n`, 'its limits'],
    ['a size beyond 64 bits', `${'f'.repeat(17)}\r\na\r\n0\r\n\r\n`],
    ['a negative size', '-1\r\na\r\n0\r\n\r\n'],
    ['a size with spaces in front', ' 1\r\na\r\n0\r\n\r\n'],
    ['a bare LF after the size', '1\na\r\n0\r\n\r\n'],
    ['a chunk longer than its size', '1\r\nab\r\n0\r\n\r\n'],
    ['a bad trailer', '1\r\na\r\n0\r\nbad trailer\r\n\r\n'],
  ])('a chunked request with %s ends with 400', async (_name, body, about) => {
    const target = await origin(answering(() => ok('reached')));
    const made = rig(target, about === undefined ? {} : { about });
    const client = await made.captured(ADDRESS, 80);
    client.send(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 400 /);
    await client.over();
    await settle(20);
    // A proxy that streams may have sent the head on.
    expect(requestsIn(target.received()), 'the origin got a whole request').toEqual([]);
    await made.gateOnly(() => expect(target.connections).toHaveLength(0));
  });

  test('trailers that would change the message are dropped', async () => {
    const target = await origin(answering(() => ok('done')));
    const client = await rig(target).captured(ADDRESS, 80);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nContent-Length: 5\r\nHost: x\r\nX-Ok: 1\r\n\r\n`,
    );
    await client.saw('done');
    expect(target.received()).toMatch(/\r\n\r\n1\r\na\r\n0\r\nX-Ok: 1\r\n\r\n$/);
  });

  test('a client that breaks its upload off: the origin sees no clean end', async () => {
    const target = await origin(() => undefined);
    const made = rig(target);
    const client = await made.captured(ADDRESS, 80);
    client.send(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    await target.saw('abc');
    const reset = new Promise((resolve) => target.connections[0]?.once('error', resolve));
    client.destroy();
    await within(reset, 'the reset of the connection to the origin');
    expect(target.received()).not.toContain('\r\n0\r\n');
    expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
  });

  test('a client that breaks off before its body was gathered reaches nobody', async () => {
    const probe: Probe = async (made) => {
      const client = await made.captured(ADDRESS, 80);
      client.send(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 10\r\n\r\nhalf`);
      client.socket.end();
      const recorded = await made.recorder.ended(0);
      expect(recorded.end?.outcome).toBe('client_aborted');
      expect(recorded.requestBytes.toString()).toBe('half');
    };
    await untouched(probe, { about: 'its gathering of short bodies' });
  });

  test('an early answer to a long upload is read whole', async () => {
    const target = await origin((socket: Socket, text: string) => {
      if (!socket.writableEnded && text.includes('\r\n\r\n'))
        socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop');
    });
    const made = rig(target);
    const client = await made.captured(ADDRESS, 80);
    client.send(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 3000000\r\n\r\n`);
    client.send(Buffer.alloc(500_000));
    await client.saw('stop');
    await made.gateOnly(async () => void (await client.over()));
    expect((await made.recorder.ended(0)).response?.status).toBe(413);
  });

  test('compressed bytes pass untouched', async () => {
    const body = gzipSync('x'.repeat(5000));
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
    const target = await tlsOrigin(answering(() => Buffer.concat([Buffer.from(head), body])));
    const made = rig(target);
    const client = (await securely(made)).send(GET);
    await client.saw(new RegExp(`\\r\\n\\r\\n.{${body.length}}`, 's'));
    await settle(20);
    const start = client.bytes.indexOf('\r\n\r\n') + 4;
    expect(client.bytes.subarray(start).equals(body), 'the body as it was').toBe(true);
    expect((await made.recorder.ended(0)).responseBytes.equals(body)).toBe(true);
  });

  test('header bytes beyond ASCII pass both ways', async () => {
    const target = await origin(answering(() => ok('done', 'X-Back: \xe9\xff\x80\r\n')));
    const client = await rig(target).captured(ADDRESS, 80);
    client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-There: \xa0\xfe\r\n\r\n`);
    expect(await client.saw('done')).toMatch(/X-Back: \xe9\xff\x80\r\n/i);
    expect(target.received()).toMatch(/X-There: \xa0\xfe\r\n/i);
  });

  test('a path with bytes beyond ASCII passes', async () => {
    const target = await origin(answering(() => ok('done')));
    const client = await rig(target).captured(ADDRESS, 80);
    client.send(`GET /\xe9 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await client.saw('done');
    expect(target.received()).toContain('GET /\xe9 HTTP/1.1\r\n');
  });
});

describe('answers', () => {
  test('a length beside a coding does not reach the client, and the connection is not used again', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const target = await origin(answering(() => answer));
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    // An error of the gateway is a good answer, too.
    expect(await client.answer()).toMatch(
      /^HTTP\/1\.1 (?:200|50[24]) (?:(?!\r\ncontent-length:).)*\r\n\r\n/is,
    );
    await made.gateOnly(async () => void (await client.saw('2\r\nok\r\n0\r\n\r\n')));
    await client.saw(/\r\n0\r\n\r\n$/);
    const from = client.text.length;
    client.send(GET);
    expect(await client.answer(from)).toMatch(/^HTTP\/1\.1 (?:200|50[24]) /);
    expect(target.connections).toHaveLength(2);
  });

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na'],
    ['no HTTP', 'hello there\r\n\r\n'],
    ['an unasked 101', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'],
    ['an end within the head', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('%s is an error of the gateway', async (_name, answer) => {
    const target = await origin((socket) => socket.end(answer));
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 50[24] /);
    expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_error');
    expect(await client.saw('"error"')).toMatch(/^HTTP\/1\.1 502 /);
  });

  test('bytes after an answer never reach the next one', async () => {
    const target = await origin(
      answering((_request, index) => `${ok(`n${index}`)}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
    );
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    await client.saw('n0');
    await settle(20);
    client.send(GET);
    await client.saw(/n0.*n0/s);
    expect(client.text).not.toContain('evil');
  });

  test('an answer that is cut short is a reset', async () => {
    const target = await origin((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'),
    );
    const made = rig(target);
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    await client.over();
    expect(client.closed).toBe('reset');
    expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_reset');
  });

  test('Connection fields are kept from routing and framing', async () => {
    const target = await origin(answering(() => ok('done')));
    const made = rig(target);
    const client = await made.captured(ADDRESS, 80);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Host, Content-Length, X-Gone, Authorization\r\nX-Gone: 1\r\nAuthorization: t\r\nContent-Length: 2\r\n\r\nhi`,
    );
    await client.saw('done');
    const [request] = requestsIn(target.received());
    expect(request?.body).toBe('hi');
    const names = (request?.head ?? '')
      .toLowerCase()
      .split('\r\n')
      .map((line) => line.split(':')[0]);
    expect(names).toEqual(expect.arrayContaining(['host', 'authorization', 'content-length']));
    expect(names, 'a field of this hop went on').not.toContain('x-gone');
    await made.gateOnly(() =>
      expect(target.received()).toBe(
        `POST / HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: t\r\nContent-Length: 2\r\n\r\nhi`,
      ),
    );
  });

  test('an absolute URL of a passthrough host goes through unread, once', async () => {
    const target = await origin(answering(() => ok('unread')));
    const made = rig(target, { passthrough: [`${HOST}:80`], about: 'its passthrough list' });
    const client = await made.proxy();
    client.send(`GET http://${HOST}/p HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await client.saw('unread');
    expect(target.received()).toBe(`GET /p HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    expect(made.recorder.exchanges).toHaveLength(0);
    expect(made.recorder.tunnels).toHaveLength(1);
  });

  test('passthrough does not carry another name: SNI that differs is answered inside', async () => {
    const target = await tlsOrigin(answering(() => ok('never')));
    const made = rig(target, { passthrough: [`${HOST}:443`], about: 'its policy' });
    const client = await (await made.captured(ADDRESS, 443)).secure({
      ca: gateCa.ca,
      servername: 'other.test',
    });
    client.send('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
    await client.saw('host_mismatch');
    expect(target.connections).toHaveLength(0);
    expect(made.recorder.tunnels).toHaveLength(0);
  });

  test('silence does not open a tunnel where TLS must come', async () => {
    const target = await tlsOrigin(answering(() => ok('never')));
    const made = rig(target, { passthrough: [`${HOST}:443`], limits: { serverFirstMs: 20 } });
    await made.captured(ADDRESS, 443);
    await settle(120);
    expect(target.connections).toHaveLength(0);
  });

  test('a tunnel that cannot be recorded does not open', async () => {
    const target = await tlsOrigin(answering(() => ok('never')));
    const made = rig(target, { passthrough: [`${HOST}:443`] });
    made.recorder.gate = () => Promise.reject(new Error('disk full'));
    const client = await made.captured(ADDRESS, 443);
    await expect(client.secure({ ca: gateCa.ca, servername: HOST })).rejects.toThrow();
    expect(target.connections).toHaveLength(0);
  });

  test('stop ends a tunnel and records it', async () => {
    const target = await origin((socket) => socket.write('pong'));
    const made = rig(target, { passthrough: [`${HOST}:8080`] });
    const client = (await made.captured(ADDRESS, 8080)).send('\x01ping');
    await client.saw('pong');
    await made.engine.stop();
    expect(made.recorder.tunnels[0]?.end).toMatchObject({
      outcome: 'gate_stopped',
      bytesUp: 5,
      bytesDown: 4,
    });
  });
});

describe('addresses', () => {
  const pinned = (
    address: string,
    addressPort: number,
  ): { host: string; port: number; address: string; addressPort: number } => ({
    host: HOST,
    port: 80,
    address,
    addressPort,
  });

  test('a dead address costs a moment: the next one is dialled beside it', async () => {
    const target = await origin(answering(() => ok('second')));
    // Nothing answers on the first: it is refused at once here, and the second is tried without waiting.
    const made = rig(target, { resolve: [pinned('127.0.0.1', target.port)] });
    const dead = await origin(() => undefined);
    await dead.stop();
    const candidates = [
      { address: '127.0.0.1', port: dead.port, pinned: true },
      { address: '127.0.0.1', port: target.port, pinned: true },
    ];
    made.policyCandidates = candidates;
    const client = (await made.captured(ADDRESS, 80)).send(GET);
    await client.saw('second');
    expect((await made.recorder.ended(0)).end?.outcome).toBe('complete');
  });
});
