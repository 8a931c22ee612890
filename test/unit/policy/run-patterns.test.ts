import { describe, expect, test } from 'vitest';
import { findConflicts } from '../../../src/policy/conflicts.ts';
import { localPorts, namedPorts, runPatterns } from '../../../src/policy/run-patterns.ts';

describe('runPatterns', () => {
  test('joins the options of a run, the profile last', () => {
    const made = runPatterns({
      allow: ['a.test'],
      allowLocal: [11434],
      profileHosts: ['api.test'],
      deny: ['d.test'],
    });
    expect(made.allow.map(({ text }) => text)).toEqual(['a.test', 'localhost:11434', 'api.test']);
    expect(made.deny.map(({ text }) => text)).toEqual(['d.test']);
    expect(made.passthrough).toEqual([]);
  });

  test('names every bad one with its option', () => {
    expect(() => runPatterns({ allow: ['a?'], deny: ['10.*'] })).toThrow(
      /--allow 'a\?': .*\n--deny '10\.\*': /,
    );
  });
});

test('the ports that lists name', () => {
  const lists = runPatterns({
    allow: ['a.test', 'a.test:8443', 'localhost:11434', '127.0.0.1:5432', '10.0.0.1:22'],
    deny: ['d.test:25', 'localhost:99'],
    passthrough: ['[::1]:8443', 'p.test:22'],
  });
  expect(namedPorts(lists)).toEqual([22, 25, 99, 5432, 8443, 11434]);
  expect(localPorts(lists)).toEqual([5432, 8443, 11434]);
});

/** Weak pattern on allow, strong pattern on deny, what is lost. */
const SHADOWS: readonly (readonly [string, string, 'all' | 'part' | 'nothing'])[] = [
  ['a.test', 'a.test', 'all'],
  ['a.test', '*.test', 'all'],
  ['a.test', '*', 'all'],
  ['a.test', 'b.test', 'nothing'],
  ['a.test', 'a.test:443', 'part'],
  ['a.test', 'a.test:22', 'nothing'],
  ['a.test:443', 'a.test:443', 'all'],
  ['a.test:443', 'a.test', 'all'],
  ['*.a.test', '*.test', 'all'],
  ['*.test', '*.a.test', 'nothing'],
  ['*.a.test', 'a.test', 'nothing'],
  ['api-*.test', '*-*.test', 'all'],
  ['10.0.0.1', '10.0.0.0/8', 'all'],
  ['10.0.0.0/8', '10.0.0.0/9', 'nothing'],
  ['10.0.0.0/9', '10.0.0.0/8', 'all'],
  ['11.0.0.0/8', '10.0.0.0/8', 'nothing'],
  ['fd00::1', 'fc00::/7', 'all'],
  ['10.0.0.1', '*.test', 'nothing'],
  ['a.test', '0.0.0.0/0', 'nothing'],
];

describe('findConflicts', () => {
  test.each(SHADOWS)('allow %s under deny %s loses %s', (allow, deny, extent) => {
    const found = findConflicts(runPatterns({ allow: [allow], deny: [deny] }));
    expect(found[0]?.extent ?? 'nothing').toBe(extent);
  });

  test('says so in a sentence', () => {
    const lists = runPatterns({
      allow: ['a.test', 'b.test'],
      passthrough: ['*.test'],
      deny: ['b.test:80', 'c.test'],
    });
    expect(findConflicts(lists).map(({ message }) => message)).toEqual([
      "'b.test' (allow) is covered by 'b.test:80' (deny) on port 80: the denylist wins",
      "'a.test' (allow) is covered by '*.test' (passthrough): it passes through unread",
      "'b.test' (allow) is covered by '*.test' (passthrough): it passes through unread",
    ]);
  });
});
