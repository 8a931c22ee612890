import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, loadOrCreateAuthority } from '../../../src/ca/authority.ts';
import { createLeafIssuer } from '../../../src/ca/leaf.ts';
import { gatePaths } from '../../../src/core/paths.ts';

let home: string;
let authority: Authority;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-leaf-'));
  authority = loadOrCreateAuthority(gatePaths({ GATE_HOME: home }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const issue = (host: string) => new X509Certificate(createLeafIssuer(authority).certificateFor(host));

describe('a leaf', () => {
  test('is signed by the authority for one DNS name', () => {
    const leaf = issue('API.example.com');
    expect(leaf.checkIssued(authority.cert)).toBe(true);
    expect(leaf.verify(authority.cert.publicKey)).toBe(true);
    expect(leaf.subjectAltName).toBe('DNS:api.example.com');
    expect(leaf.checkHost('api.example.com')).toBe('api.example.com');
    expect(leaf.checkHost('example.com')).toBeUndefined();
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '::1'],
    ['2001:db8::8:800:200c:417a', '2001:db8:0:0:8:800:200c:417a'],
    ['::ffff:192.0.2.7', '::ffff:c000:207'],
    ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
  ])('names the address %s as such', (host, same) => {
    const leaf = issue(host);
    expect(leaf.subjectAltName).toMatch(/^IP Address:/);
    expect(leaf.checkIP(same)).toBe(same);
  });

  test('names a service of this machine by each of its names', () => {
    const leaf = issue('localhost');
    expect(leaf.checkHost('localhost')).toBe('localhost');
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(issue('localhost.example.com').subjectAltName).toBe('DNS:localhost.example.com');
  });

  test('is valid for 397 days at most, from a while ago, and never longer than its authority', () => {
    const { validFrom, validTo } = issue('example.com');
    const days = (Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000;
    expect(days).toBeLessThanOrEqual(397);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now() - 3_600_000);
    const soon = new Date(Date.now() + 86_400_000);
    const short = new X509Certificate(
      createLeafIssuer({ ...authority, notAfter: soon }).certificateFor('a.test'),
    );
    expect(Date.parse(short.validTo)).toBeLessThanOrEqual(soon.getTime());
  });

  test('has no common name where the host is longer than one may be', () => {
    const host = `${'a'.repeat(60)}.example.com`;
    const leaf = issue(host);
    expect(leaf.subject).toBeFalsy();
    expect(leaf.checkHost(host)).toBe(host);
  });

  test('has a serial of its own', () => {
    const serials = new Set(Array.from({ length: 50 }, () => issue('example.com').serialNumber));
    expect(serials.size).toBe(50);
  });

  test.each([
    '',
    '.',
    'a..b',
    'a b',
    'bücher.example',
    'a\0.example.com',
    '*.example.com',
    'evil.com,DNS:bank.com',
    `${'a.'.repeat(127)}toolong`,
  ])('is refused for %j', (host) => {
    expect(() => createLeafIssuer(authority).contextFor(host)).toThrowError(
      expect.objectContaining({ code: 'bad_host' }),
    );
  });
});

describe('the cache of contexts', () => {
  test('gives one context for the spellings of one name', () => {
    const issuer = createLeafIssuer(authority);
    expect(issuer.contextFor('Example.com')).toBe(issuer.contextFor('example.com.'));
  });

  test('drops what was not used for longest', () => {
    const issuer = createLeafIssuer(authority, { cacheSize: 2 });
    const first = issuer.contextFor('a.test');
    const second = issuer.contextFor('b.test');
    expect(issuer.contextFor('a.test')).toBe(first);
    issuer.contextFor('c.test');
    expect(issuer.contextFor('a.test')).toBe(first);
    expect(issuer.contextFor('b.test')).not.toBe(second);
  });
});
