import { describe, expect, test } from 'vitest';
import { parseResolveRule, resolveByRules } from '../../../src/policy/resolve-rule.ts';

/** Rule, `host port: address>port …` or the reason. */
const RULES: readonly (readonly [string, string])[] = [
  ['a.test:443:127.0.0.1', 'a.test 443: 127.0.0.1>443'],
  ['a.test:443:127.0.0.1:9443', 'a.test 443: 127.0.0.1>9443'],
  ['A.TEST.:443:127.1', 'a.test 443: 127.0.0.1>443'],
  ['a.test:443:[::1]', 'a.test 443: ::1>443'],
  ['a.test:443:[::1]:9443', 'a.test 443: ::1>9443'],
  ['a.test:443:::1', 'a.test 443: ::1>443'],
  ['a.test:443:2001:db8::1', 'a.test 443: 2001:db8::1>443'],
  ['a.test:443:10.0.0.1,[::1]:8,10.0.0.2:9', 'a.test 443: 10.0.0.1>443 ::1>8 10.0.0.2>9'],
  ['*:443:127.0.0.1', '* 443: 127.0.0.1>443'],
  ['10.0.0.1:80:127.0.0.1', '10.0.0.1 80: 127.0.0.1>80'],
  ['[2001:db8::1]:80:127.0.0.1', '2001:db8::1 80: 127.0.0.1>80'],
  ['a.test:443', 'expected HOST:PORT:ADDR[:PORT]'],
  ['a.test', 'expected HOST:PORT:ADDR[:PORT]'],
  ['a.test:443:', 'expected HOST:PORT:ADDR[:PORT]'],
  ['', 'expected HOST:PORT:ADDR[:PORT]'],
  ['a b:443:127.0.0.1', "'a b' is not a host name or an IP address"],
  ['*.test:443:127.0.0.1', "'*.test' is not a host name or an IP address"],
  ['a.test:0:127.0.0.1', "bad port '0'; use 1 to 65535"],
  ['a.test:65536:127.0.0.1', "bad port '65536'; use 1 to 65535"],
  ['a.test:443:b.test', "'b.test' is not an address or address:port"],
  ['a.test:443:127.0.0.1:0', "'127.0.0.1:0' is not an address or address:port"],
  ['a.test:443:127.0.0.1,', "'' is not an address or address:port"],
  ['a.test:443:[::1]9', "'[::1]9' is not an address or address:port"],
];

function show(text: string): string {
  const result = parseResolveRule(text);
  if ('problem' in result) return result.problem;
  const { host, port, candidates } = result.rule;
  return `${host} ${port}: ${candidates.map((one) => `${one.address}>${one.port}`).join(' ')}`;
}

// promise: run.resolve
describe('--resolve', () => {
  test.each(RULES)('%j is %s', (text, expected) => {
    expect(show(text)).toBe(expected);
  });

  test('pins what it names and nothing else', () => {
    const rules = [
      '*:443:10.0.0.9',
      'a.test:443:10.0.0.1',
      'a.test:443:10.0.0.2',
      'b.test:80:10.0.0.3',
    ].flatMap((text) => {
      const result = parseResolveRule(text);
      return 'rule' in result ? [result.rule] : [];
    });
    const at = (host: string, port: number) =>
      resolveByRules(rules, { host, port })?.map(({ address }) => address);
    expect(at('a.test', 443)).toEqual(['10.0.0.1']);
    expect(at('c.test', 443)).toEqual(['10.0.0.9']);
    expect(at('b.test', 80)).toEqual(['10.0.0.3']);
    expect(at('a.test', 80)).toBeUndefined();
    expect(at('8.8.8.8', 443)).toBeUndefined();
    expect(resolveByRules(rules, { host: 'a.test', port: 443 })?.[0]?.pinned).toBe(true);
  });
});
