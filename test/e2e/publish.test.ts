import { existsSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { type GateResult, type TestHome, testHome } from '../helpers/product.ts';

/** `--publish`: what a person's browser outside gets from a dev server in the jail. */
let home: TestHome;
let port: number;

beforeAll(async () => {
  home = testHome();
  port = await freePort();
  writeFileSync(join(home.dir, 'dev.mjs'), DEV_SERVER);
});
afterAll(() => home.remove());

/** As bundlers have it: pages, uploads, and a WebSocket that tells of changes. `/stop` ends it. */
const DEV_SERVER = `
import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
const [port, host] = process.argv.slice(2);
const server = createServer((request, response) => {
  if (request.url === '/stop') response.end('bye', () => setTimeout(() => process.exit(7), 50));
  else if (request.url === '/big') response.end(Buffer.alloc(5_000_000, 'x'));
  else {
    let size = 0;
    request.on('data', (chunk) => { size += chunk.length; });
    request.on('end', () => response.end('hello ' + request.url + ' ' + size));
  }
});
server.on('upgrade', ({ headers }, socket) => {
  const key = headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.write(Buffer.concat([Buffer.from([0x81, 6]), Buffer.from('reload')]));
  socket.on('error', () => undefined);
});
server.listen(Number(port), host);
`;

const dev = (host: string, ...options: string[]): Promise<GateResult> =>
  home.gate(['run', ...options, '--', 'node', 'dev.mjs', String(port), host]);
const curl = (...args: string[]) => execa('curl', ['-sS', '--noproxy', '*', ...args], { reject: false });
const url = (path: string, host = '127.0.0.1') => `http://${host}:${port}${path}`;
const isUp = () =>
  expect.poll(async () => (await curl(url('/'))).stdout, { timeout: 20_000 }).toBe('hello / 0');

// promise: run.publish, summary
test('a server in the jail is reached on the loopback of this machine: pages, uploads, streams and WebSockets', async () => {
  const running = dev('127.0.0.1', '--publish', String(port));
  await isUp();
  expect((await curl('-d', 'x'.repeat(100_000), url('/upload'))).stdout).toBe('hello /upload 100000');
  expect((await curl(url('/big'))).stdout.length).toBe(5_000_000);
  expect(await firstMessage()).toBe('reload');
  const fifty = await Promise.all(Array.from({ length: 50 }, (_, n) => curl(url(`/${n}`))));
  expect(fifty.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 50 }, (_, n) => `hello /${n} 0`));
  await curl(url('/stop'));

  const result = await running;
  expect(result.exitCode).toBe(7);
  expect(result.stderr).toMatch(new RegExp(`, \\d+ from outside \\(run \\w+, widened: publish:${port}\\)`));
  const records = home.ledger();
  expect(records[0]?.['jail']).toMatchObject({ widened: [`publish:${port}`] });
  const tunnels = records.filter(({ type }) => type === 'tunnel');
  expect(tunnels.length).toBeGreaterThanOrEqual(55);
  for (const tunnel of tunnels) {
    const decision = { verdict: 'forward', reason: 'published' };
    expect(tunnel).toMatchObject({ via: 'published', host: 'localhost', port, decision });
  }
  // What left the jail is "up", whoever opened the connection.
  expect(tunnels.some(({ bytesUp }) => Number(bytesUp) > 5_000_000)).toBe(true);
  expect(tunnels.some(({ bytesDown }) => Number(bytesDown) > 100_000)).toBe(true);
  // Nothing listens any more.
  expect((await curl(url('/'))).exitCode).toBe(7);
});

// promise: run.publish, config.keys
test('by config as well, for a server that listens on the IPv6 loopback alone', async () => {
  const config = home.at('config/config.toml');
  writeFileSync(config, `version = 1\n[run]\npublish = [${port}]\n`);
  try {
    const running = dev('::1');
    await isUp();
    await curl(url('/stop'));
    expect((await running).exitCode).toBe(7);
  } finally {
    writeFileSync(config, 'version = 1\n');
  }
});

// promise: run.publish
test('while no server listens in the jail the connection is cut at once', async () => {
  const [ready, go] = [join(home.dir, 'ready'), join(home.dir, 'go')];
  const script = `touch ${ready}; until [ -e ${go} ]; do sleep 0.05; done`;
  const running = home.gate(['run', '--publish', String(port), '--', 'sh', '-c', script]);
  await expect.poll(() => existsSync(ready), { timeout: 20_000 }).toBe(true);
  // 56: the connection was reset. 52: it was closed.
  expect([52, 56]).toContain((await curl('--max-time', '5', url('/'))).exitCode);
  writeFileSync(go, '');
  const result = await running;
  expect(result.exitCode).toBe(0);
  expect(home.ledger().filter(({ type }) => type.startsWith('tunnel'))).toEqual([]);
});

// promise: run.publish, jail.death
test('connections that are open end with the command, and are recorded', async () => {
  const running = dev('127.0.0.1', '--publish', String(port));
  await isUp();
  const held = connect(port, '127.0.0.1');
  held.on('error', () => undefined);
  await new Promise((resolve) => held.once('connect', resolve));
  held.write('GET /');
  await curl(url('/stop'));
  await new Promise((resolve) => held.once('close', resolve));
  expect((await running).exitCode).toBe(7);
  const records = home.ledger();
  const ids = (type: string) => records.filter((each) => each.type === type).map(({ id }) => id);
  expect(ids('tunnel').sort()).toEqual(ids('tunnel.open').sort());
  expect(records.at(-1)?.type).toBe('run.end');
});

// promise: run.publish, exit.125, exit.next-step
test('a port that is in use here, or that gate captures in the jail, ends the run before its command starts', async () => {
  const taken = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const inUse = await home.gate(['run', '--publish', String(port), '--', 'touch', 'started']);
  await new Promise((resolve) => taken.close(resolve));
  expect(inUse.exitCode).toBe(125);
  expect(inUse.stderr).toContain(`cannot publish port ${port} on 127.0.0.1: it is in use on this machine`);
  expect(inUse.stderr).toContain('publish that');

  const options = ['--mode', 'best-effort', '--publish', String(port), '--allow-local', String(port)];
  const captured = await home.gate(['run', ...options, '--', 'touch', 'started']);
  expect(captured.exitCode).toBe(125);
  expect(captured.stderr).toContain(`cannot publish port ${port}: in the jail gate captures it`);
  expect(existsSync(join(home.dir, 'started'))).toBe(false);
  expect((await home.gate(['run', '--publish', 'http', '--', 'true'])).exitCode).toBe(125);
});

// promise: run.publish
test('the way leads inwards only: the command gets nowhere by the published port', async () => {
  const script = `curl -sS --noproxy '*' --max-time 5 http://127.0.0.1:${port}/`;
  const result = await home.gate(['run', '--publish', String(port), '--', 'sh', '-c', script]);
  expect(result.exitCode).toBe(7);
  expect(home.ledger().filter(({ type }) => type.startsWith('tunnel'))).toEqual([]);
  // Named by the proxy, that port of this machine is gate's own.
  const byProxy = `curl -sS --noproxy '' -x "$http_proxy" --fail-with-body http://127.0.0.1:${port}/`;
  const asked = await home.gate(['run', '--publish', String(port), '--', 'sh', '-c', byProxy]);
  expect(asked.stdout).toContain('"reason":"private_destination"');
});

/** What the server says by itself on a WebSocket: one short frame (RFC 6455, 5.2). */
function firstMessage(): Promise<string> {
  return new Promise((resolve, reject) => {
    const key = Buffer.alloc(16, 'k').toString('base64');
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': key };
    const asked = request({ host: '127.0.0.1', port, path: '/hmr', headers });
    asked.once('error', reject);
    asked.once('upgrade', (_answer, socket, head) => {
      let frame = head;
      const look = (chunk: Buffer): void => {
        frame = Buffer.concat([frame, chunk]);
        const size = 2 + (frame[1] ?? Number.POSITIVE_INFINITY);
        if (frame.length < size) return;
        socket.destroy();
        resolve(frame.subarray(2, size).toString());
      };
      socket.on('data', look);
      look(Buffer.alloc(0));
    });
    asked.end();
  });
}
