import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';

const HOST = 'pinned.test';

let home: TestHome;
let origin: HttpsOrigin;
/** Trusts the origin's own CA, and not gate's. */
let client: string[];

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin(HOST);
  const [pinned = ''] = origin.runOptions.slice(-1);
  client = ['curl', '-sS', '--cacert', pinned, '--capath', home.dir, `https://${HOST}/`];
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

const clients = async () => {
  const { stdout } = await home.gate(['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { id: string; status: string }[] };
  return checks.find(({ id }) => id === 'clients');
};

test('a client that turns down the certificate is recorded with what it said; summary and doctor name the cure', async () => {
  const twice = ['sh', '-c', `${client.join(' ')}; ${client.join(' ')}`];
  const { stderr, exitCode } = await home.gate(['run', ...origin.runOptions, '--', ...twice]);
  expect(exitCode).toBe(60);
  const refused = home.ledger().filter(({ type }) => type === 'refused');
  expect(refused.reduce((sum, { count }) => sum + Number(count), 0)).toBe(2);
  for (const record of refused) {
    const facts = {
      proto: 'tls',
      host: HOST,
      port: 443,
      reason: 'certificate_rejected',
      alert: 'unknown_ca',
    };
    expect(record).toMatchObject(facts);
  }
  expect(stderr).toContain(`gate: 2 refused: ${HOST}:443 - gate passthrough ${HOST}:443\n`);
  expect(await clients()).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining(`clients of ${HOST}:443 turned down gate's certificate 2 times`),
    fix: `gate passthrough ${HOST}:443`,
  });
});

test('the cure works: the entry makes a tunnel, and doctor is content', async () => {
  expect((await home.gate(['passthrough', `${HOST}:443`])).exitCode).toBe(0);
  expect(await clients()).toMatchObject({ status: 'ok' });
  const { exitCode, stderr } = await home.gate(['run', ...origin.runOptions, '--', ...client]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('1 tunnel') });
  expect(stderr).not.toContain('refused');
  expect(origin.seen).toHaveLength(1);
});
