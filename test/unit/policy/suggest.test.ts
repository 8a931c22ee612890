import { expect, test } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import { createHitCounter } from '../../../src/policy/hits.ts';
import { createMatcher } from '../../../src/policy/match.ts';
import { parsePattern } from '../../../src/policy/pattern.ts';
import { createSuggester, type Used } from '../../../src/policy/suggest.ts';

const unlisted: Decision = { verdict: 'forward', reason: 'unlisted' };
const refused: Decision = { verdict: 'deny', reason: 'not_allowlisted' };
const used = (host: string, port: number, decision = unlisted, type: Used['type'] = 'request'): Used => ({
  ...{ type, host, port, decision },
});

function suggester(allow: string[] = [], deny: string[] = [], passthrough: string[] = []) {
  const patterns = (texts: string[]) =>
    texts.map((text) => {
      const result = parsePattern(text);
      if ('problem' in result) throw new Error(result.problem);
      return result.pattern;
    });
  return createSuggester({
    allow: createMatcher('allow', patterns(allow)),
    deny: createMatcher('deny', patterns(deny)),
    passthrough: createMatcher('passthrough', patterns(passthrough)),
  });
}

const proposed = (all: readonly Used[], ...lists: Parameters<typeof suggester>) => {
  const made = suggester(...lists);
  for (const each of all) made.add(each);
  return made.result();
};

test.each([
  ['443 and 80 go without saying', [used('a.test', 443), used('a.test', 80)], ['a.test']],
  ['other ports are named', [used('a.test', 8443), used('a.test', 443)], ['a.test', 'a.test:8443']],
  ['services of this machine always need a port', [used('localhost', 80)], ['localhost:80']],
  ['in every form', [used('127.0.0.1', 443), used('::1', 9)], ['127.0.0.1:443', '[::1]:9']],
  ['other IPv6', [used('2001:db8::1', 443), used('2001:db8::1', 8)], ['[2001:db8::1]', '[2001:db8::1]:8']],
  ['tunnels are not read, so not allowed', [used('a.test', 443, unlisted, 'tunnel')], []],
])('%s', (_, all, expected) => {
  const { patterns } = proposed(all);
  expect(patterns.map(({ pattern }) => pattern)).toEqual(expected);
  for (const { pattern } of patterns) expect(parsePattern(pattern)).toHaveProperty('pattern');
  // What is proposed covers what was used: a second look finds nothing.
  expect(proposed(all, expected).patterns).toEqual([]);
});

// promise: lists.suggest
test('what a list covers by now is not proposed', () => {
  const all = [used('x.a.test', 443), used('bad.test', 443), used('pinned.test', 443), used('new.test', 443)];
  expect(proposed(all, ['*.a.test'], ['bad.test'], ['pinned.test']).patterns).toEqual([
    { pattern: 'new.test', requests: 1 },
  ]);
});

test('what was blocked is told apart, and only where the allowlist was the reason', () => {
  const denied: Decision = { verdict: 'deny', reason: 'private_destination' };
  const all = [used('b.test', 443, refused), used('b.test', 443, refused), used('p.test', 443, denied)];
  expect(proposed(all)).toEqual({ patterns: [], blocked: [{ pattern: 'b.test', requests: 2 }] });
});

test('hits of the same pattern in two spellings are one count, and strays are told', () => {
  const counter = createHitCounter();
  const hit = (pattern: string, at: string, list: 'allow' | 'deny' = 'allow') =>
    counter.add({ verdict: 'forward', reason: 'allowlisted', list, pattern }, at);
  hit('A.test', '2026-01-01T00:00:00.000Z');
  hit('a.test.', '2026-01-03T00:00:00.000Z');
  hit('a.test', '2026-01-02T00:00:00.000Z');
  hit('a.test', '2026-01-02T00:00:00.000Z', 'deny');
  counter.add(unlisted, '2026-01-04T00:00:00.000Z');
  expect(counter.of('allow', 'a.test')).toEqual({ hits: 3, lastHit: '2026-01-03T00:00:00.000Z' });
  expect(counter.of('allow', 'b.test')).toEqual({ hits: 0 });
  expect(counter.others()).toMatchObject([{ list: 'deny', pattern: 'a.test', hits: 1 }]);
});
