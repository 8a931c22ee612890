import { expect, test } from 'vitest';
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
