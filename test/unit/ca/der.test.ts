import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as der from '../../../src/ca/der.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');

describe('writing DER', () => {
  test.each([
    ['00', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['000001', '020101'],
  ])('INTEGER %s', (bytes, written) => {
    expect(hex(der.integer(Buffer.from(bytes, 'hex')))).toBe(written);
  });

  test('lengths of one, two and three bytes', () => {
    expect(hex(der.octetString(Buffer.alloc(127))).slice(0, 4)).toBe('047f');
    expect(hex(der.octetString(Buffer.alloc(128))).slice(0, 6)).toBe('048180');
    expect(hex(der.octetString(Buffer.alloc(70_000))).slice(0, 10)).toBe('0483011170');
  });

  test('object identifiers', () => {
    expect(hex(der.oid('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
    expect(hex(der.oid('2.5.29.17'))).toBe('0603551d11');
  });

  test('times before and after 2050', () => {
    expect(der.time(new Date('2049-12-31T23:59:59.999Z')).toString('latin1')).toMatch(/491231235959Z$/);
    expect(der.time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toMatch(/20500101000000Z$/);
  });
});

describe('reading DER', () => {
  test('finds elements side by side', () => {
    const read = der.elements(
      Buffer.concat([der.integer(Buffer.from([5])), der.octetString(Buffer.alloc(300))]),
    );
    expect(read.map(({ tag, content }) => [tag, content.length])).toEqual([
      [der.TAG.integer, 1],
      [der.TAG.octetString, 300],
    ]);
  });

  test.each(['30', '3005', '300201', '3080', '3085', '30850000000001', '308400000001', '3084ffffffff'])(
    'refuses %s',
    (bytes) => {
      expect(() => der.elements(Buffer.from(bytes, 'hex'))).toThrow(RangeError);
    },
  );

  test('refuses more than one element where one is asked for', () => {
    expect(() => der.element(Buffer.from('02010502', 'hex'))).toThrow(RangeError);
  });

  test('never fails otherwise on random bytes', () => {
    for (let round = 0; round < 20_000; round++) {
      try {
        der.elements(randomBytes(round % 40));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});
