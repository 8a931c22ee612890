import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';

let home: TestHome;
let origin: HttpsOrigin;

beforeAll(async () => {
  origin = await startHttpsOrigin('origin.test');
});
afterAll(() => origin.stop());
beforeEach(() => {
  home = testHome();
});
afterEach(() => home.remove());

const file = (name: string) => home.at(`config/${name}`);
const json = async (...args: string[]) =>
  JSON.parse((await home.gate([...args, '--json'])).stdout) as Record<string, unknown>;
const curl = (...urls: string[]) => [
  ...['curl', '-s', '-w', '%{http_code}\n'],
  ...urls.flatMap((url) => ['-o', '/dev/null', url]),
];
const run = (options: string[], ...command: string[]) =>
  home.gate(['run', ...origin.runOptions, ...options, '--', ...command]);

// promise: lists.suggest
test('gate lists suggest proposes what a run used, and --enforce with it lets the same through', async () => {
  const local = createServer((_, response) => response.end('local'));
  await new Promise<void>((resolve) => local.listen(0, '127.0.0.1', resolve));
  const { port } = local.address() as AddressInfo;
  const elsewhere = `origin.test:8443:127.0.0.1:${origin.port}`;
  const options = ['--resolve', elsewhere, '--allow-local', String(port)];
  const urls = ['https://origin.test/', `http://localhost:${port}/`, 'https://origin.test:8443/'];
  mkdirSync(file(''), { recursive: true });
  writeFileSync(file('config.toml'), 'version = 1\n[capture]\nports = [8443]\n');
  expect((await run(options, ...curl(...urls))).stdout).toBe('200\n200\n200\n');
  await run([...options, '--enforce'], ...curl('https://origin.test/'));

  const used = home.runs()[0] ?? '';
  const proposal = await home.gate(['lists', 'suggest', '--run', used]);
  expect(proposal.stdout).toBe(`localhost:${port}\norigin.test\norigin.test:8443\n`);
  const blocked = await home.gate(['lists', 'suggest']);
  expect(blocked).toMatchObject({ exitCode: 0, stdout: '' });
  expect(blocked.stderr).toContain('origin.test (1x)');

  expect((await home.gate(['allow', '--', ...proposal.stdout.trim().split('\n')])).exitCode).toBe(0);
  const enforced = await run([...options, '--enforce'], ...curl(...urls));
  expect(enforced.stdout).toBe('200\n200\n200\n');
  const nothing = await json('lists', 'suggest', '--run', used);
  expect(nothing).toEqual({ run: used, patterns: [], blocked: [] });
  expect((await home.gate(['lists', 'suggest', '--run', 'XXXXXX'])).exitCode).toBe(1);
  await new Promise((resolve) => local.close(resolve));
});
