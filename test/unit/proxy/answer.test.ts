import { expect, test } from 'vitest';
import { decideByName } from '../../../src/policy/decide.ts';
import { createMatcher } from '../../../src/policy/match.ts';
import { parseList } from '../../../src/policy/pattern.ts';
import { runPatterns } from '../../../src/policy/run-patterns.ts';
import { blocked } from '../../../src/proxy/answer.ts';

/** What an agent is told to ask for; that it works is shown with the decisions themselves. */
const remedy = (host: string, port: number) => {
  const { body } = blocked({ verdict: 'deny', reason: 'private_destination' }, host, port);
  return /ask the user to type: (.*)$/.exec(JSON.parse(String(body)).error.message)?.[1];
};

test.each([
  ['10.0.0.1', 80, 'gate allow 10.0.0.1:80'],
  ['::1', 443, "gate allow '[::1]:443'"],
  ['localhost', 11434, 'gate allow localhost:11434'],
  ['x.localhost', 80, 'gate allow x.localhost:80'],
  [
    'dev.example',
    8080,
    'gate allow dev.example:8080 (if the name stands for this very machine, instead: gate run --resolve dev.example:8080:127.0.0.1)',
  ],
])('%s:%i, not public, is opened by what the answer says', (host, port, typed) => {
  expect(remedy(host, port)).toBe(typed);
});

/** What is told of a.test, on a denylist of these lines in a run with these options. */
function deniedMessage(lines: string, deny: readonly string[]): string {
  const patterns = parseList(lines, 'denylist.txt').lines.map(({ pattern }) => pattern);
  const none = createMatcher('allow', []);
  const lists = {
    deny: createMatcher('deny', [...patterns, ...runPatterns({ deny }).deny]),
    allow: none,
    passthrough: none,
  };
  const state = { lists, enforce: false, ownPorts: new Set<number>(), ownAddresses: new Set<string>() };
  const { decision } = decideByName(state, { host: 'a.test', port: 443 });
  return JSON.parse(String(blocked(decision, 'a.test', 443).body)).error.message;
}

test('who is denied is told to undo what denies it: the line of the list, or the option of the run', () => {
  expect(deniedMessage('*.test\n', [])).toMatch(/type: gate deny --remove '\*\.test'$/);
  const message = deniedMessage('', ['*.test']);
  expect(message).toContain(
    "start you again without --deny '*.test' (it may stand in run.deny of config.toml)",
  );
  expect(message).not.toContain('--remove');
});

test('a line of the list is named before an option of the run', () => {
  expect(deniedMessage('a.test\n', ['*.test'])).toMatch(/type: gate deny --remove a\.test$/);
});
