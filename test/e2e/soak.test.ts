import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestAuthority } from '../helpers/certs.ts';
import { frame, switching } from '../helpers/client-frames.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { startGate, within } from '../helpers/shell.ts';

/** Everything that agents do, many at once, for so long (milliseconds). A minute or more tells more about memory. */
const SOAK_MS = Number(process.env['SOAK_MS'] ?? '12000');
const HOST = 'soak.test';

let home: TestHome;
let dir: string;
let port: number;
let stopOrigin: () => Promise<void>;

beforeAll(async () => {
  home = testHome();
  dir = mkdtempSync(join(tmpdir(), 'gate-soak-'));
  const authority = createTestAuthority();
  writeFileSync(join(dir, 'ca.pem'), authority.ca, { mode: 0o644 });
  const server = createServer(authority.issue([HOST]), answer);
  // Kept connections go away by themselves, so that what stays open afterwards is a leak.
  server.keepAliveTimeout = 500;
  server.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write(switching());
    socket.on('data', () => socket.write(frame('{"type":"response.output_text.delta","delta":"hi"}')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  stopOrigin = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  writeFileSync(join(home.dir, 'client.mjs'), CLIENT);
});
afterAll(async () => {
  await stopOrigin();
  rmSync(dir, { recursive: true, force: true });
  home.remove();
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  request.resume();
  const { url = '' } = request;
  if (url.startsWith('/early')) return void response.writeHead(413).end('no');
  request.on('end', () => {
    if (url.startsWith('/sse')) return void stream(response);
    if (url.startsWith('/reset')) return void response.write('some', () => response.destroy());
    if (url.startsWith('/big')) return void response.end(Buffer.alloc(1_000_000, 97));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url, text: 'word '.repeat(150) }));
  });
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let n = 0; n < 20 && !response.destroyed; n += 1) {
    response.write(`data: {"n":${n}}\n\n`);
    await sleep(10);
  }
  response.end();
}

/** Sixteen workers that take turns at every kind of traffic; says `ready`, then the counts, and stays until told. */
const CLIENT = `
import { existsSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
const [ms, go, leave] = process.argv.slice(2);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const agent = new https.Agent({ keepAlive: true, maxSockets: 8 });
const counts = {};
const call = (path, { body, method = 'GET', agent: by = agent, abortAfter } = {}) => new Promise((resolve, reject) => {
  const request = https.request('https://${HOST}' + path, { method, agent: by }, (response) => {
    let bytes = 0;
    response.on('data', (piece) => {
      bytes += piece.length;
      if (abortAfter !== undefined && bytes >= abortAfter) request.destroy();
    });
    response.on('end', () => resolve(bytes));
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
});
const fails = (promise) => promise.then(() => { throw new Error('should have failed'); }, () => undefined);
const webSocket = () => new Promise((resolve, reject) => {
  const request = https.request('https://${HOST}/ws', { agent: false, headers: {
    connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
  request.on('upgrade', (_response, socket) => {
    let seen = 0;
    socket.on('error', reject);
    socket.on('data', () => {
      seen += 1;
      if (seen === 5) { socket.destroy(); resolve(); } else socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 104, 105]));
    });
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 104, 105]));
  });
  request.on('error', reject);
  request.end();
});
const h2 = async () => {
  const session = http2.connect('https://${HOST}');
  session.on('error', () => undefined);
  await Promise.all([1, 2, 3, 4].map((n) => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/h2/' + n, ':method': 'POST' });
    stream.on('error', n === 4 ? resolve : reject);
    stream.on('end', resolve).resume();
    stream.end('{"n":' + n + '}');
    if (n === 4) stream.close(http2.constants.NGHTTP2_CANCEL);
  })));
  session.close();
};
const kinds = {
  get: () => call('/get'),
  post: () => call('/post', { method: 'POST', body: JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(3000) }] }) }),
  fresh: () => call('/fresh', { agent: false }),
  big: () => call('/big'),
  upload: () => call('/upload', { method: 'POST', body: Buffer.alloc(1_500_000, 98) }),
  sse: () => call('/sse'),
  // On a slow machine the whole answer may have come before the client leaves.
  cut: () => call('/big', { abortAfter: 100_000, agent: false }).catch(() => undefined),
  gone: () => call('/sse', { abortAfter: 30, agent: false }).catch(() => undefined),
  reset: () => fails(call('/reset', { agent: false })),
  early: () => call('/early', { method: 'POST', body: 'x', agent: false }),
  denied: () => new Promise((resolve, reject) => https.get('https://denied.test/', { agent: false }, (response) => {
    response.resume().on('end', () => (response.statusCode === 403 ? resolve() : reject(new Error('not denied'))));
  }).on('error', reject)),
  ws: webSocket,
  h2,
};
await call('/first');
console.log('ready');
while (!existsSync(go)) await wait(20);
const until = Date.now() + Number(ms);
await Promise.all(Array.from({ length: 16 }, async (_, worker) => {
  const names = Object.keys(kinds);
  for (let turn = worker; Date.now() < until; turn += 1) {
    const name = names[turn % names.length];
    await kinds[name]().catch((error) => { counts['failed ' + name + ' ' + error.message] = (counts['failed ' + name + ' ' + error.message] ?? 0) + 1; });
    counts[name] = (counts[name] ?? 0) + 1;
  }
}));
agent.destroy();
console.log('done ' + JSON.stringify(counts));
while (!existsSync(leave)) await wait(20);
`;

/** Open descriptors of gate and of the jail's helpers. */
const openFiles = (pid: number): number =>
  [pid, ...helpersOf(pid)].reduce((sum, each) => sum + filesOf(each), 0);
function filesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // Only root may look into a process that has capabilities.
    return 0;
  }
}
/** The helper, the first process of the jail and the broker: whatever below gate runs the helper's program. */
function helpersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return children
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('gate-jail'))
    .flatMap((child) => [child, ...helpersOf(child)]);
}
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
/** MB that the line through the values gains in a minute. */
function slope(samples: readonly (readonly [ms: number, mb: number])[]): number {
  const mean = (of: 0 | 1): number => samples.reduce((sum, each) => sum + each[of], 0) / samples.length;
  const [ms, mb] = [mean(0), mean(1)];
  const both = samples.reduce((sum, [x, y]) => sum + (x - ms) * (y - mb), 0);
  return (both / samples.reduce((sum, [x]) => sum + (x - ms) ** 2, 0)) * 60_000;
}
const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

test('thousands of exchanges, streams, sockets and aborts leave nothing open and nothing out of the record', {
  timeout: 2 * SOAK_MS + 200_000,
}, async (context) => {
  const [go, leave] = [join(home.dir, 'go'), join(home.dir, 'leave')];
  const resolve = ['--resolve', `${HOST}:443:127.0.0.1:${port}`, '--upstream-ca', join(dir, 'ca.pem')];
  const options = [...resolve, '--deny', 'denied.test'];
  const client = [process.execPath, join(home.dir, 'client.mjs'), String(SOAK_MS), go, leave];
  const started = startGate(home, ['run', ...options, '--', ...client], SOAK_MS + 90_000);
  context.onTestFinished(() => void started.child.kill('SIGKILL'));
  await started.says(/^ready$/m);
  const idle = openFiles(started.pid);
  writeFileSync(go, '');
  const samples: [number, number][] = [];
  while (!started.stdout().includes('done ') && started.child.exitCode === null) {
    samples.push([performance.now(), residentMb(started.pid)]);
    await sleep(200);
  }
  const counts = JSON.parse(/done (.*)/.exec(started.stdout())?.[1] ?? '{}') as Record<string, number>;
  expect(Object.keys(counts).filter((name) => name.startsWith('failed'))).toEqual([]);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(SOAK_MS / 200);
  // The first connection of the client is gone by now, and a module's file may be read in between.
  const letGo = await within(15_000, () => openFiles(started.pid) <= idle + 2);
  expect(letGo ? 'nothing' : `${openFiles(started.pid)} files, ${idle} before`).toBe('nothing');
  const memory = samples.map(([, mb]) => mb);
  const quarter = Math.floor(memory.length / 4);
  const [early, late] = [middle(memory.slice(quarter, 2 * quarter)), middle(memory.slice(-quarter))];
  expect(late).toBeLessThan(early * 1.35 + 60);
  // For some minutes the heaps and the analysis worker's caches still grow to their size.
  const gains = slope(samples.slice(samples.length >> 1));
  if (SOAK_MS >= 240_000) expect(gains).toBeLessThan(20);
  writeFileSync(leave, '');
  expect(await started.ended).toMatchObject({ code: 0 });

  const records = home.ledger();
  const of = (type: string) => records.filter((each) => each.type === type);
  const ended = new Set(of('end').map((each) => each['id']));
  expect(of('request').filter((each) => !ended.has(each['id']))).toEqual([]);
  // A turn of h2 is four streams, of which the cancelled one may be gone before it is seen.
  expect(of('request').length).toBeGreaterThanOrEqual(total + 2 * (counts['h2'] ?? 0));
  expect(of('analysis').length).toBeGreaterThanOrEqual(of('end').length);
  expect(of('run.end')).toMatchObject([{ counts: { unanalysed: 0 } }]);
  expect(of('message').length).toBeGreaterThanOrEqual(8 * (counts['ws'] ?? 0));
  const verdict = await startGate(home, ['verify', 'last', '--json'], SOAK_MS + 90_000).ended;
  expect(JSON.parse(verdict.stdout.toString())).toMatchObject({ ok: true });
  process.stdout.write(
    `soak: ${total} turns ${JSON.stringify(counts)}, ${records.length} records, ${Math.round(early)} MB early, ${Math.round(late)} MB late, ${gains.toFixed(1)} MB a minute in the second half\n`,
  );
});
