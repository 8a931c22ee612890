import { execFile, execFileSync } from 'node:child_process';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DnsFacts, RefusedFacts } from '../../../src/core/exchange.ts';
import { type AddressPool, createAddressPool } from '../../../src/proxy/dns/pool.ts';
import { createDnsServer, type DnsLimits, type DnsServer } from '../../../src/proxy/dns/server.ts';
import { skipBecause } from '../../helpers/skips.ts';
import { question } from '../../unit/dns/question.ts';

const run = promisify(execFile);

let pool: AddressPool;
let dns: DnsServer;
let udp: DatagramSocket;
let tcp: Server;
let port: number;
let asked: DnsFacts[];
let refused: RefusedFacts[];

async function start(limits: DnsLimits = {}, range?: string): Promise<void> {
  asked = [];
  refused = [];
  pool = createAddressPool(range);
  dns = createDnsServer({
    pool,
    limits,
    recorder: { dns: (facts) => void asked.push(facts), refused: (facts) => void refused.push(facts) },
  });
  tcp = createServer();
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  port = (tcp.address() as AddressInfo).port;
  udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  dns.attachUdp(udp);
  dns.attachTcp(tcp);
}

async function stop(): Promise<void> {
  dns.stop();
  udp.close();
  tcp.close();
}

beforeEach(() => start());
afterEach(stop);

async function restart(limits: DnsLimits, range?: string): Promise<void> {
  await stop();
  await start(limits, range);
}

const resolver = () => {
  const made = new Resolver({ timeout: 2000, tries: 1 });
  made.setServers([`127.0.0.1:${port}`]);
  return made;
};

/** Sends datagrams and collects what comes back within a moment. */
async function exchange(...messages: readonly Buffer[]): Promise<Buffer[]> {
  const client = createSocket('udp4');
  const replies: Buffer[] = [];
  client.on('message', (reply) => replies.push(reply));
  for (const message of messages) client.send(message, port, '127.0.0.1');
  await new Promise((resolve) => setTimeout(resolve, 150));
  client.close();
  return replies;
}

const rcode = (reply: Buffer | undefined) => (reply?.readUInt16BE(2) ?? -1) & 0xf;

describe('c-ares', () => {
  test('gets an address for any name, the same each time, and it is recorded', async () => {
    expect(await resolver().resolve4('Api.Example.com')).toEqual(['198.18.0.16']);
    expect(await resolver().resolve4('api.example.com')).toEqual(['198.18.0.16']);
    expect(await resolver().resolve4('single')).toEqual(['198.18.0.17']);
    expect(asked).toEqual([
      { name: 'api.example.com', qtype: 'A', answer: '198.18.0.16' },
      { name: 'api.example.com', qtype: 'A', answer: '198.18.0.16' },
      { name: 'single', qtype: 'A', answer: '198.18.0.17' },
    ]);
    expect(pool.nameOf('198.18.0.16')).toBe('api.example.com');
  });

  test('gets no data, at once, for everything but addresses', async () => {
    for (const ask of [
      () => resolver().resolve6('a.example'),
      () => resolver().resolveTxt('secret.a.example'),
      () => resolver().resolveMx('a.example'),
      () => resolver().resolveSrv('_x._tcp.a.example'),
      () => resolver().resolveNs('a.example'),
      () => resolver().resolveCaa('a.example'),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'ENODATA' });
    }
    expect(asked.map(({ qtype, answer }) => `${qtype} ${answer}`)).toEqual([
      ...['AAAA NODATA', 'TXT NODATA', 'MX NODATA', 'SRV NODATA', 'NS NODATA', 'CAA NODATA'],
    ]);
    expect(pool.used).toBe(0);
  });

  test('gets loopback for localhost and below it', async () => {
    expect(await resolver().resolve4('app.LOCALHOST')).toEqual(['127.0.0.1']);
    expect(await resolver().resolve6('app.localhost')).toEqual(['::1']);
    expect(pool.used).toBe(0);
  });

  test('gets names back for the addresses that were given only', async () => {
    await resolver().resolve4('a.example');
    expect(await resolver().reverse('198.18.0.16')).toEqual(['a.example']);
    await expect(resolver().reverse('198.18.0.99')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver().reverse('2001:db8::1')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(asked.map(({ answer }) => answer)).toEqual(['198.18.0.16', 'a.example', 'NXDOMAIN', 'NXDOMAIN']);
  });
});

const hasDig = (() => {
  try {
    execFileSync('dig', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('dig', skipBecause(!hasDig && 'no dig here'), () => {
  const dig = async (...args: string[]) => {
    const fixed = ['@127.0.0.1', '-p', String(port), '+time=2', '+tries=1', '+noidnin'];
    return (await run('dig', [...fixed, ...args])).stdout;
  };

  test('finds nothing to complain about, over UDP with EDNS and a cookie', async () => {
    const out = await dig('Mixed.Case.example');
    expect(out).toMatch(/status: NOERROR/);
    expect(out).toMatch(/flags: qr rd ra;/);
    expect(out).toMatch(/EDNS: version: 0, flags:; udp: 1232/);
    expect(out).toMatch(/Mixed\.Case\.example\.\s+60\s+IN\s+A\s+198\.18\.0\.16/);
    expect(out).not.toMatch(/WARNING|mismatch|malformed/i);
  });

  test('and over TCP, without EDNS, and with checking disabled', async () => {
    expect(await dig('+tcp', '+short', 'a.example')).toBe('198.18.0.16\n');
    expect(await dig('+noedns', 'a.example')).not.toMatch(/EDNS|WARNING/);
    expect(await dig('+cdflag', 'a.example')).toMatch(/flags: qr rd ra cd;/);
  });

  test.each<[string, string, string[]]>([
    ['HTTPS', 'NOERROR', ['a.example', 'HTTPS']],
    ['an unknown type', 'NOERROR', ['a.example', 'TYPE4711']],
    ['the root', 'NOERROR', ['.', 'NS']],
    ['another class', 'REFUSED', ['version.bind', 'TXT', 'CH']],
    ['an update', 'NOTIMP', ['+opcode=update', 'a.example']],
    ['a zone transfer', 'REFUSED', ['+tcp', 'a.example', '-t', 'ixfr=1']],
    ['a newer EDNS', 'BADVERS', ['+edns=1', '+noednsneg', 'a.example']],
    ['an address as a name', 'NXDOMAIN', ['127.0.0.1', 'A']],
    ['a name that is no host’s', 'NXDOMAIN', ['a\\000b.example']],
  ])('%s is answered %s', async (_what, status, args) => {
    const out = await dig('+all', ...args);
    expect(out).toMatch(
      status === 'REFUSED' && args.includes('+tcp') ? /REFUSED|Transfer failed/ : `status: ${status}`,
    );
  });

  test('ANY is answered with the address', async () => {
    expect(await dig('+notcp', '+short', 'a.example', 'ANY')).toBe('198.18.0.16\n');
  });
});

describe('hostile clients over UDP', () => {
  test('malformed queries are told so, answers are ignored, and both are counted', async () => {
    const cut = question('a.example', 1).subarray(0, 20);
    const replies = await exchange(cut, question('b.example', 1, { flags: 0x8180 }), Buffer.from('x'));
    expect(replies.map(rcode)).toEqual([1]);
    expect(refused).toEqual(Array.from({ length: 3 }, () => ({ proto: 'dns', reason: 'dns_malformed' })));
    expect(asked).toEqual([]);
  });

  // promise: jail.dns-pool
  test('an exhausted pool is SERVFAIL for new names, with one record', async () => {
    await restart({}, '10.9.8.0/29');
    for (let n = 0; n < 6; n++) await resolver().resolve4(`n${n}.example`);
    for (let n = 6; n < 12; n++) {
      await expect(resolver().resolve4(`n${n}.example`)).rejects.toMatchObject({ code: 'ESERVFAIL' });
    }
    expect(await resolver().resolve4('n2.example')).toEqual(['10.9.8.3']);
    expect(refused).toEqual([{ proto: 'dns', host: 'n6.example', reason: 'dns_pool_exhausted' }]);
    expect(asked).toHaveLength(7);
  });

  test('a flood of names is bounded, counted, and over with the second', async () => {
    await restart({ questionsPerSecond: 20 });
    const flood = Array.from({ length: 100 }, (_, n) => question(`random-${n}.example`, 16, { id: n }));
    const replies = await exchange(...flood);
    expect(replies).toHaveLength(100);
    expect(replies.filter((reply) => rcode(reply) === 2)).toHaveLength(80);
    expect(asked).toHaveLength(20);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(rcode((await exchange(question('later.example', 1)))[0])).toBe(0);
    expect(refused).toEqual([{ proto: 'dns', reason: 'dns_flood', count: 80 }]);
  });

  test('the same question again and again is no flood', async () => {
    await restart({ questionsPerSecond: 1 });
    const replies = await exchange(
      ...Array.from({ length: 50 }, (_, id) => question('a.example', 1, { id })),
    );
    expect(replies.every((reply) => rcode(reply) === 0)).toBe(true);
  });
});

const framed = (message: Buffer) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
};

describe('over TCP', () => {
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };

  test('many questions on one connection, cut anywhere, are answered in order', async () => {
    const socket = await open();
    const stream = Buffer.concat(
      Array.from({ length: 30 }, (_, id) => framed(question(`n${id}.example`, 1, { id }))),
    );
    let replies = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      replies = Buffer.concat([replies, chunk]);
    });
    for (let at = 0; at < stream.length; at += 7) {
      socket.write(stream.subarray(at, at + 7));
      if (at % 70 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    while (asked.length < 30) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ids: number[] = [];
    for (let at = 0; at < replies.length; at += 2 + replies.readUInt16BE(at))
      ids.push(replies.readUInt16BE(at + 2));
    expect(ids).toEqual(Array.from({ length: 30 }, (_, id) => id));
    socket.destroy();
  });

  test('a message that announces too much ends the connection', async () => {
    const socket = await open();
    socket.write(Buffer.from([0xff, 0xff, 1, 2, 3]));
    await once(socket.resume(), 'close');
  });

  test('idle connections are closed', async () => {
    await restart({ idleMs: 50 });
    const socket = await open();
    await once(socket.resume(), 'close');
  });

  test('connections are bounded, and places come free again', async () => {
    await restart({ connections: 2 });
    const [first, second] = [await open(), await open()];
    const third = await open();
    await once(third.resume(), 'close');
    first.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const fourth = await open();
    fourth.write(framed(question('a.example', 1)));
    await once(fourth, 'data');
    for (const socket of [second, fourth]) socket.destroy();
  });

  test('a client that asks and never reads is not served on and on', async () => {
    const socket = await open();
    socket.pause();
    const burst = Buffer.concat(Array.from({ length: 500 }, () => framed(question('a.example', 1))));
    // The kernel's buffers take some megabytes of answers; when they are full, nothing more is taken in.
    let stalled = 0;
    for (const end = Date.now() + 25_000; stalled < 10 && Date.now() < end; ) {
      const before = asked.length;
      while (socket.writableLength < 1_000_000) socket.write(burst);
      await new Promise((resolve) => setTimeout(resolve, 50));
      stalled = asked.length === before ? stalled + 1 : 0;
    }
    expect(stalled).toBe(10);
    expect(socket.writableLength).toBeGreaterThan(0);
    socket.destroy();
  });

  test('stopping closes what is open and answers no more', async () => {
    const socket = await open();
    dns.stop();
    await once(socket.resume(), 'close');
    expect(await exchange(question('a.example', 1))).toEqual([]);
  });
});
