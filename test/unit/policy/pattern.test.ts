import { describe, expect, test } from 'vitest';
import { createMatcher, globMatches } from '../../../src/policy/match.ts';
import { type ListName, type Pattern, parseList, parsePattern } from '../../../src/policy/pattern.ts';
import { cpuMs } from '../../helpers/cpu.ts';

/** Pattern as written, its canonical key. */
const GOOD: readonly (readonly [string, string])[] = [
  ['example.com', 'example.com'],
  ['  Example.COM.  ', 'example.com'],
  ['example.com:443', 'example.com:443'],
  ['localhost:11434', 'localhost:11434'],
  ['my_host', 'my_host'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['bücher.example:80', 'xn--bcher-kva.example:80'],
  ['*', '*'],
  ['*.', '*'],
  ['*:8443', '*:8443'],
  ['*.example.com', '*.example.com'],
  ['*.EXAMPLE.com.', '*.example.com'],
  ['**.example.com', '*.example.com'],
  ['*.example.com:8443', '*.example.com:8443'],
  ['*.bücher.example', '*.xn--bcher-kva.example'],
  ['*。example。com', '*.example.com'],
  ['api-*.example.com', 'api-*.example.com'],
  ['api.*', 'api.*'],
  ['*.1e100.net', '*.1e100.net'],
  ['*.123.example', '*.123.example'],
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.1:22', '10.0.0.1:22'],
  ['0x7f.1', '127.0.0.1'],
  ['2130706433:80', '127.0.0.1:80'],
  ['::1', '[::1]'],
  ['[::1]', '[::1]'],
  ['[::1]:8080', '[::1]:8080'],
  ['[2001:DB8::1]:443', '[2001:db8::1]:443'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['[::ffff:10.0.0.1]:80', '10.0.0.1:80'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.0.0.1/32', '10.0.0.1/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['10.0/16', '10.0.0.0/16'],
  ['fc00::/7', 'fc00::/7'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
];

/** Bad line, part of the reason. */
const BAD: readonly (readonly [string, string])[] = [
  ['exa?ple.com', "'?' is not allowed"],
  ['[a-z].example.com', 'brackets'],
  ['a[bc].example.com', "'[' is not allowed"],
  ['{a,b}.example.com', "'{' is not allowed"],
  ['(a).example.com', "'(' is not allowed"],
  ['!example.com', "'!' is not allowed"],
  ['a+b.example.com', "'+' is not allowed"],
  ['user@example.com', "'@' is not allowed"],
  ['a|b', "'|' is not allowed"],
  ['https://example.com/', 'not a URL'],
  ['example.com/path', 'not an address range'],
  ['a.example b.example', 'one pattern a line'],
  ['example.com:', 'bad port'],
  ['example.com:0', 'bad port'],
  ['example.com:65536', 'bad port'],
  ['example.com:https', 'bad port'],
  ['example.com:*', 'bad port'],
  ['example.com:443:443', 'not a host name'],
  ['a..b', 'not a host name'],
  ['example.com..', 'not a host name'],
  ['.example.com', 'not a host name'],
  ['*..example.com', 'bad label'],
  ['*.exa%6dple.com', 'bad label'],
  ['ex\\ample.com', 'not a host name'],
  ['exam%70le.com', 'not a host name'],
  ['a,b', 'not a host name'],
  ['256.1.1.1', 'not a host name'],
  ['1.2.3.4.5', 'not a host name'],
  ['10.0.0.*', 'works in names only'],
  ['10.*', 'works in names only'],
  ['*.1', 'works in names only'],
  ['1*.2*', 'works in names only'],
  ['10.0.*.0/16', 'works in names only'],
  ['fe80::*', 'bad label'],
  ['[fe80::*]:80', 'brackets'],
  ['[::1', 'brackets'],
  ['[10.0.0.1]:80', 'brackets'],
  ['[::1]:0', 'bad port'],
  ['[::1]80', 'brackets'],
  ['fe80::1%eth0', 'not a host name'],
  ['10.0.0.0/33', 'bad prefix length'],
  ['10.0.0.0/-1', 'bad prefix length'],
  ['10.0.0.0/08', 'bad prefix length'],
  ['10.0.0.0/', 'bad prefix length'],
  ['fc00::/129', 'bad prefix length'],
  ['::ffff:10.0.0.0/95', 'bad prefix length'],
  ['10.0.0.1/8', 'write 10.0.0.0/8'],
  ['fd00::1/8', 'write fd00::/8'],
  ['10.0.0.0/8:80', 'bad prefix length'],
  ['example.com/24', 'not an address range'],
  ['é*.example', 'bad label'],
  ['a'.repeat(64), 'not a host name'],
  [`*.${'a.'.repeat(130)}com`, 'longer than'],
];

function pattern(text: string): Pattern {
  const result = parsePattern(text);
  if ('problem' in result) throw new Error(`${text}: ${result.problem}`);
  return result.pattern;
}

// promise: lists.grammar
describe('parsePattern', () => {
  test.each(GOOD)('%j means %s', (text, key) => {
    expect(pattern(text)).toMatchObject({ text: text.trim(), key });
  });

  test.each(GOOD)('%j: its key means the same', (_, key) => {
    expect(pattern(key).key).toBe(key);
  });

  test.each(BAD)('%j is bad: %s', (text, reason) => {
    const result = parsePattern(text);
    expect('problem' in result ? result.problem : 'good').toContain(reason);
  });
});

/** List, pattern, host, port, whether it matches. */
const MATCHES: readonly (readonly [ListName, string, string, number, boolean])[] = [
  ['allow', 'example.com', 'example.com', 443, true],
  ['allow', 'example.com', 'example.com', 80, true],
  ['allow', 'example.com', 'example.com', 8443, false],
  ['passthrough', 'example.com', 'example.com', 80, true],
  ['passthrough', 'example.com', 'example.com', 22, false],
  ['deny', 'example.com', 'example.com', 22, true],
  ['deny', 'example.com:443', 'example.com', 22, false],
  ['deny', 'example.com:443', 'example.com', 443, true],
  ['allow', 'example.com:8443', 'example.com', 8443, true],
  ['allow', 'example.com:8443', 'example.com', 443, false],
  ['allow', 'example.com', 'www.example.com', 443, false],
  ['allow', 'example.com', 'notexample.com', 443, false],
  ['allow', '*.example.com', 'example.com', 443, false],
  ['allow', '*.example.com', 'a.example.com', 443, true],
  ['allow', '*.example.com', 'a.b.c.example.com', 443, true],
  ['allow', '*.example.com', 'notexample.com', 443, false],
  ['allow', '*.example.com', 'example.com.evil.test', 443, false],
  ['allow', '*.example.com:8443', 'a.example.com', 8443, true],
  ['allow', '*.example.com:8443', 'a.example.com', 443, false],
  ['deny', '*.example.com', 'a.example.com', 9, true],
  ['allow', 'api-*.example.com', 'api-eu.example.com', 443, true],
  ['allow', 'api-*.example.com', 'api-.example.com', 443, true],
  ['allow', 'api-*.example.com', 'api.example.com', 443, false],
  ['allow', 'api-*.example.com', 'x-api-eu.example.com', 443, false],
  ['allow', 'a*b*c.test', 'axbxc.test', 443, true],
  ['allow', 'a*b*c.test', 'acb.test', 443, false],
  ['allow', '*-prod.*', 'x-prod.example', 443, true],
  ['allow', '*-prod.*', 'x-prod', 443, false],
  ['allow', '*', 'anything.example', 443, true],
  ['allow', '*', 'anything.example', 8080, false],
  ['allow', '*', '10.0.0.1', 443, false],
  ['allow', '*', '::1', 443, false],
  ['deny', '*', '10.0.0.1', 1234, true],
  ['deny', '*:25', '10.0.0.1', 25, true],
  ['deny', '*:25', '10.0.0.1', 26, false],
  ['deny', '*.1e100.net', '10.0.0.1', 80, false],
  ['allow', '10.0.0.1', '10.0.0.1', 80, true],
  ['allow', '10.0.0.1', '10.0.0.1', 22, false],
  ['allow', '10.0.0.1:22', '10.0.0.1', 22, true],
  ['allow', '0x0a.1', '10.0.0.1', 80, true],
  ['allow', '10.0.0.0/8', '10.9.8.7', 443, true],
  ['allow', '10.0.0.0/8', '10.9.8.7', 8080, false],
  ['allow', '10.0.0.0/8', '11.0.0.0', 443, false],
  ['deny', '10.0.0.0/8', '10.9.8.7', 8080, true],
  ['deny', '0.0.0.0/0', '8.8.8.8', 53, true],
  ['deny', '0.0.0.0/0', '2001:db8::1', 53, false],
  ['deny', '::/0', '2001:db8::1', 53, true],
  ['deny', '::/0', '8.8.8.8', 53, false],
  ['deny', 'fc00::/7', 'fdab::1', 53, true],
  ['deny', '10.0.0.0/8', '64:ff9b::a00:1', 80, true],
  ['deny', '10.0.0.1', '2002:a00:1::', 80, true],
  ['allow', '10.0.0.0/8', '64:ff9b::a00:1', 80, false],
  ['allow', '[::1]:8080', '::1', 8080, true],
  ['allow', '2001:db8::1', '2001:db8::1', 443, true],
  ['allow', 'localhost:11434', 'localhost', 11434, true],
  ['allow', 'localhost:11434', '127.0.0.1', 11434, true],
  ['allow', 'localhost:11434', '::1', 11434, true],
  ['allow', 'localhost:11434', '127.0.0.2', 11434, false],
  ['allow', 'localhost:11434', '127.0.0.1', 11435, false],
  ['allow', 'localhost', '127.0.0.1', 80, false],
  ['deny', 'example.com', '10.0.0.1', 80, false],
  ['allow', 'bücher.example', 'xn--bcher-kva.example', 443, true],
];

// promise: lists.match
describe('createMatcher', () => {
  test.each(MATCHES)('%s %s on %s:%d: %s', (list, text, host, port, expected) => {
    expect(createMatcher(list, [pattern(text)]).match(host, port) !== undefined).toBe(expected);
  });

  test('names the first matching line, of whatever kind', () => {
    const texts = ['*.b.test', 'a*.test', 'a.b.test', '*'];
    for (let i = 0; i < texts.length; i++) {
      const rotated = [...texts.slice(i), ...texts.slice(0, i)];
      expect(createMatcher('deny', rotated.map(pattern)).match('a.b.test', 1)?.text).toBe(texts[i]);
    }
  });

  test('answers quickly over thousands of lines and hostile hosts', () => {
    const patterns = Array.from({ length: 10_000 }, (_, i) =>
      pattern(
        [`h${i}.example`, `*.p${i}.example`, `10.${i >> 8}.${i & 255}.0/24`, `10.99.${i >> 8}.${i & 255}`][
          i % 4
        ] ?? '',
      ),
    );
    const matcher = createMatcher('deny', [...patterns, pattern('*a*a*a*a*a*a*a*a*b')]);
    const hostile = `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(61);
    const took = cpuMs(() => {
      for (let i = 0; i < 2000; i++) {
        matcher.match(hostile, 443);
        matcher.match('x.y.z.p9997.example', 443);
        matcher.match('10.30.1.1', 443);
      }
    });
    expect(took / 6000).toBeLessThan(0.05);
  });

  test('globs need every piece in order and without overlap', () => {
    expect(globMatches(['ab', 'ba'], 'aba')).toBe(false);
    expect(globMatches(['ab', 'ba'], 'abba')).toBe(true);
    expect(globMatches(['', 'aa', ''], 'a')).toBe(false);
    expect(globMatches(['a', 'b', 'b'], 'ab')).toBe(false);
    expect(globMatches(['', 'x', 'y'], 'xy')).toBe(true);
  });
});

describe('parseList', () => {
  test('takes comments, blank lines, CRLF and a BOM; names every bad line', () => {
    const text =
      '\ufeff# head\r\n\r\nexample.com # why\r\n  bad?\r\n#x\r\n*.example.com\r\n1.2.3.*\r\nlast.example';
    const parsed = parseList(text, '/c/allowlist.txt');
    expect(parsed.lines.map(({ pattern: { text }, line }) => [line, text])).toEqual([
      [3, 'example.com'],
      [6, '*.example.com'],
      [8, 'last.example'],
    ]);
    expect(parsed.errors).toEqual([
      "/c/allowlist.txt:4: '?' is not allowed; '*' is the only wildcard",
      "/c/allowlist.txt:7: '*' works in names only; for addresses write a range such as 10.0.0.0/8",
    ]);
  });

  test('takes no binary for a list', () => {
    expect(parseList('a\0b\n\ufffd.example\n', 'f').errors).toHaveLength(2);
  });
});
