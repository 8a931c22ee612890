import { describe, expect, test } from 'vitest';
import { canonicalHost, formatHostPort, isIpLiteral, splitHostPort } from '../../../src/policy/host.ts';

const label63 = 'a'.repeat(63);
const name253 = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`;

/** Spelling, canonical form (undefined: no host). */
const SPELLINGS: readonly (readonly [string, string | undefined])[] = [
  // Names
  ['example.com', 'example.com'],
  ['EXAMPLE.Com', 'example.com'],
  ['example.com.', 'example.com'],
  ['example.com..', undefined],
  ['.example.com', undefined],
  ['a..b', undefined],
  ['.', undefined],
  ['', undefined],
  ['localhost', 'localhost'],
  ['LOCALHOST.', 'localhost'],
  ['_dmarc.example.com', '_dmarc.example.com'],
  ['r3---sn-x.example.com', 'r3---sn-x.example.com'],
  ['-a-.example.com', '-a-.example.com'],
  ['1e100.net', '1e100.net'],
  ['1.2.3.4.example', '1.2.3.4.example'],
  ['a1', 'a1'],
  [label63, label63],
  [`${label63}a`, undefined],
  [name253, name253],
  [`${name253}.`, name253],
  [`${name253}a`, undefined],
  ['a.'.repeat(600), undefined],
  // IDN: both sides become ASCII
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['faß.example', 'xn--fa-hia.example'],
  ['ｅｘａｍｐｌｅ.com', 'example.com'],
  ['example。com', 'example.com'],
  ['example.com。', 'example.com'],
  ['exa\u00admple.com', 'example.com'],
  ['exa\u200bmple.com', 'example.com'],
  ['\u212a.example', 'k.example'],
  ['\u00ad.example', undefined],
  ['a\u200db.example', undefined],
  ['a\u202eb.example', undefined],
  ['a\ud800b.example', undefined],
  ['xn--a.example', undefined],
  ['xn--.example', undefined],
  ['℀.example', undefined],
  ['a／b.example', undefined],
  ['％65xample.com', undefined],
  ['＊.example.com', undefined],
  [`${'é'.repeat(70)}.example`, undefined],
  // What is not a host
  ['user@example.com', undefined],
  ['example.com@evil.example', undefined],
  ['example.com\\evil', undefined],
  ['example.com/evil', undefined],
  ['example.com?x', undefined],
  ['example.com#x', undefined],
  ['http://example.com', undefined],
  ['exam ple.com', undefined],
  [' example.com', undefined],
  ['example.com\0.evil', undefined],
  ['exam\tple.com', undefined],
  ['example.com\r\n', undefined],
  ['exam\x7fple.com', undefined],
  ['ex%61mple.com', undefined],
  ['*.example.com', undefined],
  ["exa'mple.com", undefined],
  ['exa<mple.com', undefined],
  ['example.com:443', undefined],
  // IPv4 in every spelling
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['127.1', '127.0.0.1'],
  ['127.0.1', '127.0.0.1'],
  ['127.65535', '127.0.255.255'],
  ['2130706433', '127.0.0.1'],
  ['0x7f000001', '127.0.0.1'],
  ['0X7F.1', '127.0.0.1'],
  ['0x7f.0x0.0x0.0x1', '127.0.0.1'],
  ['0177.0.0.1', '127.0.0.1'],
  ['017700000001', '127.0.0.1'],
  ['010.0.0.1', '8.0.0.1'],
  ['0', '0.0.0.0'],
  ['0x', '0.0.0.0'],
  ['00000000000', '0.0.0.0'],
  ['4294967295', '255.255.255.255'],
  ['１２７.0.0.1', '127.0.0.1'],
  ['127。0。0。1', '127.0.0.1'],
  ['4294967296', undefined],
  ['256.0.0.1', undefined],
  ['1.2.3.256', undefined],
  ['1.2.65536', undefined],
  ['1.16777216', undefined],
  ['1.2.3.4.5', undefined],
  ['08.0.0.1', undefined],
  ['0x1g.1', undefined],
  ['1..2', undefined],
  ['example.1', undefined],
  ['example.0x1f', undefined],
  ['-1', '-1'],
  // IPv6
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
  ['::', '::'],
  ['2001:DB8::A', '2001:db8::a'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1::', '1::'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
  ['::127.0.0.1', '::7f00:1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['[::FFFF:7F00:1]', '127.0.0.1'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
  ['::ffff:0:10.0.0.1', '::ffff:0:a00:1'],
  ['::ffff:127.1', undefined],
  ['::ffff:0x7f.0.0.1', undefined],
  ['::ffff:010.0.0.1', undefined],
  ['1.2.3.4::', undefined],
  ['::1.2.3.4:1', undefined],
  ['fe80::1%eth0', undefined],
  ['[fe80::1%25eth0]', undefined],
  [':::', undefined],
  ['1::2::3', undefined],
  ['::1:', undefined],
  [':1', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['12345::', undefined],
  ['g::', undefined],
  ['[::1', undefined],
  ['::1]', undefined],
  ['[127.0.0.1]', undefined],
  ['[example.com]', undefined],
  ['[]', undefined],
  ['[v1.fe80::a]', undefined],
];

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
    const started = performance.now();
    for (const piece of ['a', '.', '0x', '1.', 'é', ':', '[', 'xn--', '\u00ad'])
      canonicalHost(piece.repeat(1_000_000));
    expect(performance.now() - started).toBeLessThan(200);
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
