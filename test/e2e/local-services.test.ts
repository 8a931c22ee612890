import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { exchangeOf, type GateResult, type TestHome, testHome } from '../helpers/product.ts';

/** Services on the host's own loopback: a local model server is no different from a host, once a list names it. */
const ANSWER = '{"model":"local","response":"hello"}';
let home: TestHome;
let server: Server;
let port: number;
let asked: string[] = [];

beforeAll(async () => {
  home = testHome();
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  home.remove();
});
afterEach(async () => {
  asked = [];
  for (const list of ['allow', 'deny']) await home.gate([list, '--remove', `localhost:${port}`]);
});

const url = () => `http://localhost:${port}/api/generate`;
const ask = (...options: string[]) => ['curl', '-sS', ...options, '-d', '{"prompt":"hi"}', url()];
const run = (command: readonly string[]): Promise<GateResult> => home.gate(['run', '--', ...command]);

/** What was let in is named to the person and in the record. */
function expectWidened({ stderr }: GateResult): void {
  expect(stderr).toContain(`widened: local:${port})`);
  expect(home.ledger()[0]).toMatchObject({ type: 'run.start', jail: { widened: [`local:${port}`] } });
}

// promise: decide.private
test('a service that no list names is out of reach', async () => {
  const result = await run(ask());
  expect(result.exitCode).toBe(7);
  expect(result.stderr).toContain(`Failed to connect to localhost port ${port}`);
  expect(asked).toEqual([]);
});

// promise: decide.private, lists.command
test('an entry of the allowlist lets it in, and its traffic is in the ledger', async () => {
  expect((await home.gate(['allow', `localhost:${port}`])).exitCode).toBe(0);
  const result = await run(ask());
  expect(result).toMatchObject({ exitCode: 0, stdout: ANSWER });
  expectWidened(result);
  expect(asked).toEqual(['POST /api/generate']);
  expect(exchangeOf(home.ledger(), '/api/generate')).toMatchObject({
    request: {
      via: 'captured',
      host: 'localhost',
      port,
      body: { bytes: 15 },
      decision: { verdict: 'forward', list: 'allow', pattern: `localhost:${port}` },
    },
    response: { status: 200 },
    end: { outcome: 'complete', responseBody: { bytes: ANSWER.length } },
  });
});

// promise: run.allow-local, config.keys
test.each([
  ['run.allowLocal', () => `allowLocal = [${port}]`],
  ['run.allow', () => `allow = ["localhost:${port}"]`],
])('%s of config.toml lets it in for every run', async (_key, line) => {
  const config = join(home.env['GATE_HOME'] ?? '', 'config', 'config.toml');
  writeFileSync(config, `version = 1\n[run]\n${line()}\n`);
  try {
    const result = await run(ask());
    expect(result).toMatchObject({ exitCode: 0, stdout: ANSWER });
    expectWidened(result);
  } finally {
    writeFileSync(config, 'version = 1\n');
  }
});

// promise: decide.private
test.each(['127.0.0.1', '[::1]'])('an entry for %s and its port means the same service', async (address) => {
  const names = ['localhost', '127.0.0.1'].map((name) => `http://${name}:${port}/api/generate`);
  const result = await home.gate(['run', '--allow', `${address}:${port}`, '--', 'curl', '-sS', ...names]);
  expect(result).toMatchObject({ exitCode: 0, stdout: ANSWER.repeat(2) });
  const decisions = home.ledger().flatMap(({ decision }) => decision ?? []);
  expect(decisions).toEqual(
    names.map(() => ({
      verdict: 'forward',
      reason: 'allowlisted',
      list: 'allow',
      pattern: `${address}:${port}`,
      ofRun: true,
    })),
  );
  expectWidened(result);
});

// promise: decide.deny
test('on the denylist its port is captured as well, and the refusal can be read', async () => {
  await home.gate(['deny', `localhost:${port}`]);
  const result = await run(ask('--fail-with-body'));
  expect(result.exitCode).toBe(22);
  expect(result.stdout).toContain('"reason":"denylisted"');
  expect(asked).toEqual([]);
});

// promise: decide.private
test('an entry for the port of another name opens no loopback', async () => {
  const result = await home.gate(['run', '--allow', `model.test:${port}`, '--', ...ask('--fail-with-body')]);
  expect(result.exitCode).toBe(22);
  expect(result.stdout).toContain('"reason":"private_destination"');
  expect(asked).toEqual([]);
});

// promise: decide.passthrough, raw.closed
test('a service that does not speak HTTP, as databases do not, is passed through or named', async () => {
  const database = createRawServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (asked) => socket.end(`row for ${asked}`));
  });
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  const { port: databasePort } = database.address() as AddressInfo;
  const client = `import socket, sys
s = socket.create_connection(("localhost", int(sys.argv[1])), 10)
s.sendall(b"\\0\\0\\0\\x08query")
print(s.recv(99))`;
  const asked = ['python3', '-c', client, String(databasePort)];
  const passed = await home.gate(['run', '--passthrough', `localhost:${databasePort}`, '--', ...asked]);
  expect(passed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('row for') });
  expect(home.ledger()).toContainEqual(
    expect.objectContaining({ type: 'tunnel', host: 'localhost', port: databasePort, bytesUp: 9 }),
  );
  const read = await home.gate(['run', '--allow-local', String(databasePort), '--', ...asked]);
  expect(read.stdout).not.toContain('row for');
  expect(read.stderr).toContain(`gate passthrough localhost:${databasePort}`);
  await new Promise((resolve) => database.close(resolve));
});

// promise: lists.reload, jail.capture
test('a port that a list names during a run is captured from the next run on, as documented', async () => {
  const [up, go] = [join(home.dir, 'up'), join(home.dir, 'go')];
  const pinned = ['--resolve', `model.test:${port}:127.0.0.1`];
  const model = ['curl', '-sS', `http://model.test:${port}/model`];
  const wait = `touch ${up}; until [ -e ${go} ]; do sleep 0.05; done; exec ${shell(model)}`;
  const running = home.gate(['run', ...pinned, '--', ...withoutProxy('sh', '-c', wait)]);
  await expect.poll(() => existsSync(up), { timeout: 20_000 }).toBe(true);
  expect((await home.gate(['allow', `model.test:${port}`])).exitCode).toBe(0);
  // The run has taken up the entry; its listeners were made when it began.
  const reloaded = () => home.ledger().some(({ type }) => type === 'list.reload');
  await expect.poll(reloaded, { timeout: 20_000 }).toBe(true);
  writeFileSync(go, '');
  const result = await running;
  expect(result.exitCode).toBe(7);
  expect(result.stderr).toContain(`gate: 1 refused: model.test:${port} - on a list by now: run it again`);
  expect(asked).toEqual([]);
  const next = await home.gate(['run', ...pinned, '--', ...withoutProxy(...model)]);
  expect(next).toMatchObject({ exitCode: 0, stdout: ANSWER });
});

/** What uses the proxy is judged by the proxy; only what dials by itself needs its port captured. */
const withoutProxy = (...command: string[]) => ['env', '-i', `PATH=${home.env['PATH']}`, ...command];
const shell = (command: readonly string[]) => command.map((word) => `'${word}'`).join(' ');
