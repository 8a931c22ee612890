import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
const lastAction = () => home.actions().at(-1);
const curl = (...urls: string[]) => [
  ...['curl', '-s', '-w', '%{http_code}\n'],
  ...urls.flatMap((url) => ['-o', '/dev/null', url]),
];
const run = (...command: string[]) => home.gate(['run', ...origin.runOptions, '--', ...command]);

describe('gate ca', () => {
  test('shows the authority that the jail trusts, and its path', async () => {
    expect(await home.gate(['ca', 'show'])).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await home.gate(['ca', 'path'])).exitCode).toBe(1);
    await run('true');
    const path = (await home.gate(['ca', 'path'])).stdout.trim();
    const cert = new X509Certificate(readFileSync(path));
    const value = await json('ca', 'show');
    expect(value).toEqual({
      subject: cert.subject,
      sha256: cert.fingerprint256,
      notBefore: new Date(cert.validFrom).toISOString(),
      notAfter: new Date(cert.validTo).toISOString(),
      path,
    });
    expect((await home.gate(['ca', 'show'])).stdout).toContain(cert.fingerprint256);
  });

  test('regenerate asks; without a person it wants --yes; it is recorded and the next run uses it', async () => {
    await run('true');
    const before = await json('ca', 'show');
    const asked = await home.gate(['ca', 'regenerate']);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain('gate ca regenerate --yes');
    expect(await json('ca', 'show')).toEqual(before);

    const made = await home.gate(['ca', 'regenerate', '--yes']);
    expect(made.exitCode).toBe(0);
    const after = await json('ca', 'show');
    expect(after['sha256']).not.toBe(before['sha256']);
    expect(made.stdout).toBe(`${String(after['sha256'])}\n`);
    expect(lastAction()).toMatchObject({
      type: 'ca.regenerate',
      before: before['sha256'],
      after: after['sha256'],
    });
    expect(statSync(file('ca/ca.key')).mode & 0o777).toBe(0o600);
    expect((await run(...curl('https://origin.test/'))).stdout).toBe('200\n');
  });

  test('what the key is like does not keep the certificate from being shown, or replaced', async () => {
    await run('true');
    chmodSync(file('ca/ca.key'), 0o644);
    expect((await home.gate(['ca', 'show'])).exitCode).toBe(0);
    writeFileSync(file('ca/ca.pem'), 'broken');
    const broken = await home.gate(['ca', 'show']);
    expect(broken.exitCode).toBe(125);
    expect(broken.stderr).toContain('gate ca regenerate');
    expect((await home.gate(['ca', 'regenerate', '--yes'])).exitCode).toBe(0);
    expect((await run('true')).exitCode).toBe(0);
  });
});
