import { expect, test } from 'vitest';
import { claimHost, type Hop, urlOf } from '../../../src/proxy/claim.ts';
import { parseClientHello } from '../../../src/proxy/client-hello.ts';
import { BadRequest } from '../../../src/proxy/errors.ts';
import { ChunkedDecoder } from '../../../src/proxy/http1/chunked.ts';
import { requestFraming, responseFraming } from '../../../src/proxy/http1/framing.ts';
import { headEnd, parseHead } from '../../../src/proxy/http1/head.ts';
import { endToEnd } from '../../../src/proxy/http1/hop.ts';
import { readRequestLine } from '../../../src/proxy/http1/request.ts';
import { spokenBy } from '../../../src/proxy/sniff.ts';
import { type FrameHead, FrameParser } from '../../../src/proxy/websocket/frames.ts';
import { cpuMs } from '../../helpers/cpu.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

test('a chunked body decodes the same however it is cut', () => {
  const wire = bytes(
    '4;ext="a;b"\r\nWiki\r\n5\r\npedia\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-T: 1\r\n\r\nREST',
  );
  for (let size = 1; size <= wire.length; size += 1) {
    const decoder = new ChunkedDecoder();
    let data = '';
    let rest = '';
    for (let at = 0; at < wire.length; at += size) {
      const piece = wire.subarray(at, at + size);
      if (decoder.done) rest += piece.toString();
      else for (const chunk of decoder.push(piece)) data += chunk.toString();
      if (decoder.rest !== undefined && rest === '') rest = decoder.rest.toString();
    }
    expect(data).toBe('Wikipediaabcdefghijklmnopqrstuvwxyz');
    expect(decoder.trailers).toEqual([['X-T', '1']]);
    expect(rest).toBe('REST');
  }
});

test('frames are reported the same however they are cut, and their raw bytes are the input', () => {
  const masked = Buffer.from([0x81, 0x85, 1, 2, 3, 4, 0x68 ^ 1, 0x65 ^ 2, 0x6c ^ 3, 0x6c ^ 4, 0x6f ^ 1]);
  const long = Buffer.concat([Buffer.from([0x02, 126, 0x01, 0x00]), Buffer.alloc(256, 'z')]);
  const wire = Buffer.concat([masked, Buffer.from([0x89, 0x00]), long, Buffer.from([0x80, 0x01, 0x79])]);
  for (let size = 1; size <= wire.length; size += 7) {
    const raw: Buffer[] = [];
    const frames: [number, string][] = [];
    let payload = '';
    const parser = new FrameParser({
      head: (_head: FrameHead, head: Buffer) => raw.push(Buffer.from(head)),
      payload: (piece, plain) => {
        raw.push(Buffer.from(piece));
        payload += plain.toString();
      },
      end: (head) => {
        frames.push([head.opcode, payload]);
        payload = '';
      },
    });
    for (let at = 0; at < wire.length; at += size) parser.push(wire.subarray(at, at + size));
    expect(Buffer.concat(raw).equals(wire)).toBe(true);
    expect(frames).toEqual([
      [1, 'hello'],
      [9, ''],
      [2, 'z'.repeat(256)],
      [0, 'y'],
    ]);
  }
});

test('a ClientHello gives its name and protocols, over several records too', () => {
  const hello = clientHello('api.example.test', ['h2', 'http/1.1']);
  expect(parseClientHello(records(hello, hello.length))).toEqual({
    sni: 'api.example.test',
    alpn: ['h2', 'http/1.1'],
  });
  expect(parseClientHello(records(hello, 7))).toEqual({ sni: 'api.example.test', alpn: ['h2', 'http/1.1'] });
  const whole = records(hello, 50);
  for (let cut = 0; cut < whole.length; cut += 1)
    expect(parseClientHello(whole.subarray(0, cut))).toBe('more');
  for (let at = 0; at < hello.length; at += 1) {
    const broken = Buffer.from(hello);
    broken[at] = 0xff;
    expect(() => parseClientHello(records(broken, broken.length))).not.toThrow();
  }
});

function vector(width: 1 | 2 | 3, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
}

function clientHello(name: string, protocols: readonly string[]): Buffer {
  const serverName = vector(2, Buffer.from([0]), vector(2, bytes(name)));
  const alpn = vector(2, ...protocols.map((protocol) => vector(1, bytes(protocol))));
  const extensions = vector(
    2,
    Buffer.from([0x0a, 0x0a]),
    vector(2),
    Buffer.from([0, 0]),
    vector(2, serverName),
    Buffer.from([0, 16]),
    vector(2, alpn),
  );
  const body = [
    Buffer.from([3, 3]),
    Buffer.alloc(32),
    vector(1),
    vector(2, Buffer.from([0x13, 1])),
    vector(1, Buffer.from([0])),
    extensions,
  ];
  return Buffer.concat([Buffer.from([1]), vector(3, ...body)]);
}

function records(message: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

test.each([
  ['\x16\x03', 'tls'],
  ['GET / HTTP/1.1\r\n', 'http1'],
  ['\r\nGET /', 'http1'],
  ['M-SEARCH * HTTP/1', 'http1'],
  ['GE', undefined],
  ['P', undefined],
  ['PRI * HTTP/2.', undefined],
  ['PRI * HTTP/2.0\r\n\r\nSM', 'h2c'],
  ['SSH-2.0-x\r\n', 'raw'],
  ['\x00', 'raw'],
  ['*1\r\n', 'raw'],
  ['a'.repeat(40), 'raw'],
  ['SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n', 'raw'],
  ['NICK somebody\r\n', 'raw'],
  ['get key\r\n', 'raw'],
  ['GET /\r\n', 'http1'],
  ['PROPFIND / HTTP/1.1\r\n', 'http1'],
  ['PROPFIND / HT', undefined],
  ['hello there', undefined],
])('first bytes %j are %s', (text, spoken) => {
  expect(spokenBy(bytes(text))).toBe(spoken);
});

test('heads: strict for requests, lenient for responses', () => {
  const folded = bytes('HTTP/1.1 200 OK\nX-A : 1\n  2\nX-B:\t3 \n\n');
  expect(headEnd(folded, false)).toBe(folded.length);
  expect(parseHead(folded, false).headers).toEqual([
    ['X-A', '1 2'],
    ['X-B', '3'],
  ]);
  expect(() => headEnd(folded, true)).toThrow(BadRequest);
  expect(parseHead(bytes('GET / HTTP/1.1\r\nX: \xa0a\xa0\r\n\r\n'), true).headers).toEqual([
    ['X', '\xa0a\xa0'],
  ]);
  expect(headEnd(bytes('GET / HTTP/1.1\r\nX: 1\r\n'), true)).toBe(-1);
});

test('a value of blanks costs no time', () => {
  const blanks = bytes(`GET / HTTP/1.1\r\nX: ${' '.repeat(60_000)}x${' '.repeat(60_000)}\r\n\r\n`);
  expect(cpuMs(() => parseHead(blanks, true))).toBeLessThan(200);
});

test('request lines in their four forms', () => {
  expect(readRequestLine('GET http://a.test?x HTTP/1.1')).toMatchObject({
    path: '/?x',
    absolute: { scheme: 'http', authority: 'a.test' },
  });
  expect(readRequestLine('OPTIONS http://a.test HTTP/1.1').path).toBe('*');
  expect(readRequestLine('CONNECT a.test:443 HTTP/1.0')).toMatchObject({
    connect: 'a.test:443',
    http10: true,
  });
  for (const bad of [
    'GET  / HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET /',
    'G(T / HTTP/1.1',
    'GET ftp://a/ HTTP/1.1',
    'GET * HTTP/1.1',
  ]) {
    expect(() => readRequestLine(bad)).toThrow(BadRequest);
  }
  expect(() => readRequestLine('GET / HTTP/2.0')).toThrow(/HTTP\/2/);
});

test('framing of answers follows RFC 9112 §6.3', () => {
  const length = (value: string): [string, string][] => [['Content-Length', value]];
  expect(responseFraming(200, 'GET', length('5'), false)).toEqual({ kind: 'length', length: 5 });
  expect(responseFraming(200, 'GET', length('5, 5'), false)).toEqual({ kind: 'length', length: 5 });
  expect(() => responseFraming(200, 'GET', length('5, 6'), false)).toThrow(BadRequest);
  expect(responseFraming(200, 'HEAD', length('5'), false)).toEqual({ kind: 'none' });
  expect(responseFraming(304, 'GET', length('5'), false)).toEqual({ kind: 'none' });
  expect(responseFraming(200, 'GET', [], false)).toEqual({ kind: 'close' });
  expect(responseFraming(200, 'GET', [['Transfer-Encoding', 'chunked']], true)).toEqual({ kind: 'close' });
  expect(() => requestFraming([['Content-Length', '1e3']], false)).toThrow(BadRequest);
});

test('what is for one hop only does not go on', () => {
  const fields: [string, string][] = [
    ['Host', 'a'],
    ['Connection', 'keep-alive, X-Hop'],
    ['X-Hop', '1'],
    ['TE', 'trailers'],
    ['te', 'deflate'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Authorization', 'x'],
    ['Transfer-Encoding', 'chunked'],
  ];
  expect(endToEnd(fields, { chunked: true })).toEqual([
    ['Host', 'a'],
    ['TE', 'trailers'],
    ['Transfer-Encoding', 'chunked'],
  ]);
});

test('hosts are claimed by agreement', () => {
  const hop: Hop = {
    via: 'captured',
    scheme: 'https',
    port: 8443,
    address: '93.184.216.34',
    name: undefined,
    sni: undefined,
    badSni: false,
  };
  const names = { nameOf: (): undefined => undefined };
  const spelled = { headers: [] as [string, string][], authority: undefined, hostRequired: false };
  expect(claimHost(hop, spelled, names)).toEqual({ ok: true, host: '93.184.216.34', port: 8443 });
  expect(claimHost({ ...hop, badSni: true }, spelled, names)).toMatchObject({
    ok: false,
    reason: 'bad_host',
  });
  const named = { ...spelled, headers: [['host', 'A.test:8443']] as [string, string][] };
  expect(claimHost({ ...hop, sni: 'a.test' }, named, names)).toMatchObject({ ok: true, host: 'a.test' });
  expect(claimHost({ ...hop, name: 'b.test' }, named, names)).toMatchObject({ reason: 'host_mismatch' });
  expect(urlOf('https', '::1', 8443, '/x')).toBe('https://[::1]:8443/x');
  expect(urlOf('http', 'a.test', 80, '*')).toBe('http://a.test/*');
});
