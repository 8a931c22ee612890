import { describe, expect, test } from 'vitest';
import { canonicalHost, formatHostPort, isIpLiteral, splitHostPort } from '../../../src/policy/host.ts';
import { cpuMs } from '../../helpers/cpu.ts';
import { SPELLINGS } from './spellings.ts';

// promise: decide.canonical
describe('canonicalHost', () => {
  test.each(SPELLINGS)('%j is %j', (spelling, canonical) => {
    expect(canonicalHost(spelling)).toBe(canonical);
  });

  test('is its own canonical form', () => {
    for (const [, canonical] of SPELLINGS) {
      if (canonical !== undefined) expect(canonicalHost(canonical)).toBe(canonical);
    }
  });

  test('agrees with the URL parser about every host that it accepts', () => {
    for (const [spelling, canonical] of SPELLINGS) {
      // URL keeps trailing dots of names, and mapped IPv6 as IPv6: there gate goes further on purpose.
      if (canonical === undefined || /ffff:(?!0:)/i.test(spelling) || /[.。]$/.test(spelling)) continue;
      const host = spelling.includes(':') && !spelling.startsWith('[') ? `[${spelling}]` : spelling;
      expect(new URL(`ws://${host}/`).hostname.replace(/^\[|\]$/g, '')).toBe(canonical);
    }
  });

  test('takes no time over hostile text', () => {
    const took = cpuMs(() => {
      for (const piece of ['a', '.', '0x', '1.', 'é', ':', '[', 'xn--', '\u00ad'])
        canonicalHost(piece.repeat(1_000_000));
    });
    expect(took).toBeLessThan(200);
  });

  test('tells literals from names', () => {
    expect(['127.0.0.1', '::1', '2001:db8::1'].every(isIpLiteral)).toBe(true);
    expect(['a.1e100', 'localhost', 'a1', '1.2.3.4.example', 'x.0xfg'].some(isIpLiteral)).toBe(false);
  });
});

/** Text, default port, what it says. */
const TARGETS: readonly (readonly [string, number | undefined, string | undefined])[] = [
  ['example.com:443', undefined, 'example.com:443'],
  ['Example.COM.:8443', undefined, 'example.com:8443'],
  ['example.com', 80, 'example.com:80'],
  ['example.com', undefined, undefined],
  ['example.com:', 80, 'example.com:80'],
  ['example.com:', undefined, undefined],
  ['example.com:1', undefined, 'example.com:1'],
  ['example.com:65535', undefined, 'example.com:65535'],
  ['example.com:0', 80, undefined],
  ['example.com:65536', 80, undefined],
  ['example.com:99999999999', 80, undefined],
  ['example.com:080', 80, undefined],
  ['example.com:+80', 80, undefined],
  ['example.com:-80', 80, undefined],
  ['example.com: 80', 80, undefined],
  ['example.com:80 ', 80, undefined],
  ['example.com:0x50', 80, undefined],
  ['example.com:８０', 80, undefined],
  ['example.com:80:80', 80, undefined],
  ['example.com:80@evil.example:80', 80, undefined],
  ['user:pass@example.com:80', 80, undefined],
  ['[::1]:8080', undefined, '[::1]:8080'],
  ['[::ffff:10.0.0.1]:80', undefined, '10.0.0.1:80'],
  ['[::1]', 443, '[::1]:443'],
  ['::1', 443, undefined],
  ['::1:443', 443, undefined],
  ['[::1]443', 443, undefined],
  ['[::1]x:443', 443, undefined],
  ['[::1', 443, undefined],
  ['[::1%lo]:443', 443, undefined],
  ['127.1:80', undefined, '127.0.0.1:80'],
  [':80', 443, undefined],
  ['', 443, undefined],
  ['*', 443, undefined],
  // UTF-8 on the wire, as node shows it; bytes that are not UTF-8 are no host.
  ['b\u00c3\u00bccher.example:80', undefined, 'xn--bcher-kva.example:80'],
  ['b\u00fccher.example:80', undefined, undefined],
];

describe('splitHostPort', () => {
  test.each(TARGETS)('%j with default %s is %s', (text, defaultPort, expected) => {
    const target = splitHostPort(text, defaultPort);
    expect(target === undefined ? undefined : formatHostPort(target)).toBe(expected);
  });

  test('leaves the default port out when asked to', () => {
    expect(formatHostPort({ host: '::1', port: 443 }, 443)).toBe('[::1]');
    expect(formatHostPort({ host: 'example.com', port: 80 }, 443)).toBe('example.com:80');
  });
});
