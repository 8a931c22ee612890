import { describe, expect, test } from 'vitest';
import { createAddressPool } from '../../../src/proxy/dns/pool.ts';

describe('the pool of addresses', () => {
  test('gives a name one address, whatever its spelling, and finds the name again', () => {
    const pool = createAddressPool();
    const address = pool.addressFor('API.Example.com.');
    expect(address).toBe('198.18.0.16');
    expect(pool.addressFor('api.example.com')).toBe(address);
    expect(pool.addressFor('other.example.com')).toBe('198.18.0.17');
    expect(pool.nameOf('198.18.0.16')).toBe('api.example.com');
    expect(pool.nameOf('::ffff:198.18.0.17')).toBe('other.example.com');
    expect(pool.used).toBe(2);
  });

  test('knows no name for addresses it did not give', () => {
    const pool = createAddressPool();
    pool.addressFor('a.test');
    for (const address of [
      '198.18.0.15',
      '198.18.0.17',
      '198.18.0.0',
      '127.0.0.1',
      '::1',
      '',
      'a.test',
      '198.17.255.255',
    ]) {
      expect(pool.nameOf(address)).toBeUndefined();
    }
  });

  test('gives every address once, then none', () => {
    const pool = createAddressPool('10.9.8.0/29');
    const given = Array.from({ length: 8 }, (_, n) => pool.addressFor(`n${n}.test`));
    expect(given).toEqual([
      ...['10.9.8.1', '10.9.8.2', '10.9.8.3', '10.9.8.4', '10.9.8.5', '10.9.8.6'],
      undefined,
      undefined,
    ]);
    expect(pool.size).toBe(6);
    expect(pool.addressFor('n3.test')).toBe('10.9.8.4');
    expect(pool.nameOf('10.9.8.7')).toBeUndefined();
  });

  test('fills the default range without reusing or leaving it', () => {
    const pool = createAddressPool();
    const seen = new Set<string>();
    for (let n = 0; n < pool.size; n++) seen.add(pool.addressFor(`n${n}`) ?? '');
    expect(seen.size).toBe(131_055);
    expect(seen.has('')).toBe(false);
    expect(seen.has('198.19.255.254')).toBe(true);
    expect(seen.has('198.19.255.255')).toBe(false);
    expect(pool.addressFor('one-more')).toBeUndefined();
  });

  test('takes a range by any of its addresses', () => {
    const pool = createAddressPool('10.1.2.3/16');
    expect(pool.addressFor('a')).toBe('10.1.0.16');
    expect(pool.includes('10.1.255.255')).toBe(true);
    expect(pool.includes('10.2.0.0')).toBe(false);
  });

  test.each([
    '',
    'x',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/30',
    '10.0.0.0/7',
    '10.0.0.0/16/2',
    '10.0.0/16',
    'fd00::/64',
    '127.0.0.0/8',
    '0.0.0.0/8',
    '224.0.0.0/16',
    '::ffff:10.0.0.0/16',
    '10.0.0.0/1e1',
  ])('refuses the range %j', (cidr) => {
    expect(() => createAddressPool(cidr)).toThrowError(
      expect.objectContaining({ code: 'bad_dns_pool', exitCode: 2 }),
    );
  });
});
