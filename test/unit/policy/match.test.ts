import { describe, expect, test } from 'vitest';
import { createMatcher } from '../../../src/policy/match.ts';
import { type ListName, parsePattern } from '../../../src/policy/pattern.ts';

const list = (name: ListName, ...texts: string[]) =>
  createMatcher(
    name,
    texts.map((text) => {
      const result = parsePattern(text);
      if ('problem' in result) throw new Error(`${text}: ${result.problem}`);
      return result.pattern;
    }),
  );

/** In the jail every service of the host's loopback is `localhost`, whatever it was called by. */
describe('an entry with a port for this machine', () => {
  const NAMES = ['localhost', '127.0.0.1', '::1'];
  const ENTRIES = ['localhost:8080', '127.0.0.1:8080', '[::1]:8080'];

  test.each(ENTRIES)('%s is that service by each of its names', (entry) => {
    for (const host of NAMES) {
      expect(list('allow', entry).match(host, 8080)?.text).toBe(entry);
      expect(list('allow', entry).exactLocal(host, 8080)?.text).toBe(entry);
      expect(list('passthrough', entry).match(host, 8080)?.text).toBe(entry);
      expect(list('deny', entry).match(host, 8080)?.text).toBe(entry);
      expect(list('allow', entry).match(host, 8081)).toBeUndefined();
    }
    expect(list('allow', entry).match('127.0.0.2', 8080)).toBeUndefined();
    expect(list('allow', entry).exactLocal('x.localhost', 8080)).toBeUndefined();
    expect(list('allow', entry).exactLocal('a.test', 8080)).toBeUndefined();
  });

  test('without a port it opens nothing', () => {
    for (const host of NAMES) {
      for (const entry of NAMES) expect(list('allow', entry).exactLocal(host, 80)).toBeUndefined();
    }
  });
});

test('a name without a letter or a digit is none, so that `--allow -- command` is told', () => {
  for (const text of ['--', '-', '_', '-.-', '--:443']) expect(parsePattern(text)).toHaveProperty('problem');
  expect(parsePattern('_dmarc.example.com')).toHaveProperty('pattern');
});
