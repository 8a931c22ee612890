import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCorporateProxy, type TestCorporateProxy } from '../helpers/corporate-proxy.ts';
import { echoText, type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';

/** A network whose only exit is a proxy that wants a password: no name of the origin can be looked up here. */
let home: TestHome;
let origin: HttpsOrigin;
let corporate: TestCorporateProxy;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test');
  corporate = await startCorporateProxy({ originPort: origin.port, login: 'me:corp-secret' });
});
afterAll(async () => {
  await corporate.stop();
  await origin.stop();
  home.remove();
});

const variables = () => {
  const url = `http://me:corp-secret@127.0.0.1:${corporate.port}`;
  return { HTTPS_PROXY: url, http_proxy: url, NO_PROXY: 'direct.test' };
};
/** The origin's CA, without the rule that would pin its address. */
const trust = () => origin.runOptions.slice(2);
const gate = (mode: string, ...command: string[]) =>
  home.gate(['run', '--mode', mode, ...trust(), '--deny', 'bad.test', '--', ...command], {
    env: variables(),
  });

// promise: env.read
test.each(['airtight', 'permissive'])('%s: gate itself goes through the proxy of the user', async (mode) => {
  const result = await gate(mode, 'curl', '-sS', '-d', 'sent', `https://origin.test/${mode}`);
  expect(result).toMatchObject({ exitCode: 0, stdout: echoText('POST', `/${mode}`, 'sent') });
  const response = home.ledger().find((each) => each.type === 'response');
  expect(response?.['upstream']).toMatchObject({ address: `http://127.0.0.1:${corporate.port}` });
  expect(JSON.stringify(home.ledger())).not.toContain('corp-secret');
});

test.each(['airtight', 'permissive'])('%s: the command learns nothing of that proxy', async (mode) => {
  expect((await gate(mode, 'env')).stdout).not.toMatch(/corp-secret|direct\.test/);
});

// promise: decide.deny, deny.silence
test('a denied host, and one that is not public, are not told to the proxy', async () => {
  const before = corporate.seen.length;
  const status = 'curl -s -o /dev/null -w "%{http_code} "';
  const urls = [
    'https://bad.test/',
    'http://bad.test/',
    'http://10.1.2.3/',
    'http://metadata.google.internal/',
  ];
  const result = await gate('airtight', 'sh', '-c', urls.map((url) => `${status} ${url}`).join('; '));
  expect(result.stdout).toBe('403 403 403 403 ');
  expect(corporate.seen).toHaveLength(before);
});

// promise: upstream.errors, exit.125
test('a wrong password is told to the client, a proxy of another kind to the person', async () => {
  const wrong = { HTTPS_PROXY: `http://me:guess@127.0.0.1:${corporate.port}` };
  const told = await home.gate(['run', ...trust(), '--', 'curl', '-sSi', 'https://origin.test/'], {
    env: wrong,
  });
  expect(told.stdout).toContain('x-gate-error: upstream_proxy');
  const socks = await home.gate(['run', '--', 'true'], { env: { HTTPS_PROXY: 'socks5://127.0.0.1:1' } });
  expect(socks.exitCode).toBe(125);
  expect(socks.stderr).toContain('HTTPS_PROXY');
});
