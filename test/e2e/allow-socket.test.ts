import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';

/** A daemon's socket that a person lets in: by option or by config, named wherever the run is told of. */
let home: TestHome;
let daemon: Server;
let path: string;
let config: string;

beforeAll(async () => {
  home = testHome();
  path = join(home.dir, 'agent.sock');
  daemon = createServer((socket) => socket.on('error', () => undefined).end('signed'));
  await new Promise<void>((resolve) => daemon.listen(path, resolve));
  const folder = join(home.env['GATE_HOME'] ?? '', 'config');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  config = join(folder, 'config.toml');
});
afterAll(async () => {
  await new Promise((resolve) => daemon.close(resolve));
  home.remove();
});

/** As ssh does: asks the agent that its environment names, or else says so. */
const ASK = `import os, socket, sys
path = os.environ.get("SSH_AUTH_SOCK")
print("named" if path else "not named", end=" ")
try:
  agent = socket.socket(socket.AF_UNIX); agent.connect(sys.argv[1]); print(agent.recv(99).decode())
except OSError as error: print(error.strerror)`;

const ask = (...options: string[]) =>
  home.gate(['run', ...options, '--', 'python3', '-c', ASK, path], { env: { SSH_AUTH_SOCK: path } });
const widened = () => (home.ledger()[0]?.['jail'] as { widened: string[] } | undefined)?.widened;

// promise: jail.sockets
test('what nobody let in is out of reach, and its variable is taken out', async () => {
  const result = await ask();
  expect(result).toMatchObject({ exitCode: 0, stdout: 'not named Connection refused\n' });
  expect(result.stderr).not.toContain('widened');
  expect(widened()).toEqual([]);
});

// promise: run.allow-socket, summary
test('--allow-socket lets it in for one run, with its variable, and the summary and the record say so', async () => {
  const result = await ask('--allow-socket', path);
  expect(result).toMatchObject({ exitCode: 0, stdout: 'named signed\n' });
  expect(result.stderr).toContain(`widened: socket:${path})`);
  expect(widened()).toEqual([`socket:${path}`]);
  expect((await ask()).stdout).toBe('not named Connection refused\n');
});

// promise: run.allow-socket, config.keys
test('jail.allowSockets lets it in for every run, and is told of likewise', async () => {
  writeFileSync(config, `version = 1\n[jail]\nallowSockets = ["${path}"]\n`);
  const result = await ask();
  expect(result).toMatchObject({ exitCode: 0, stdout: 'named signed\n' });
  expect(result.stderr).toContain(`widened: socket:${path})`);
  expect(widened()).toEqual([`socket:${path}`]);
});
