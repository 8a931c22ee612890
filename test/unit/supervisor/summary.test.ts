import { expect, test } from 'vitest';
import { createRefusedTargets } from '../../../src/capture/refused-targets.ts';
import { refusedLine } from '../../../src/supervisor/summary.ts';

const refused = (
  ...facts: { host?: string; address?: string; port: number; reason?: string; proto?: string }[]
) => {
  const targets = createRefusedTargets();
  for (const fact of facts) targets.add({ proto: 'tcp', reason: 'port_not_captured', ...fact }, 1);
  return targets.read();
};

// promise: summary
test.each([
  [
    [{ host: 'git.test', address: '198.18.0.16', port: 22 }],
    '1 refused: git.test:22 - gate passthrough git.test:22',
  ],
  [[{ address: '2001:db8::7', port: 22 }], '1 refused: [2001:db8::7]:22 - gate passthrough [2001:db8::7]:22'],
  [
    [
      { host: 'a.test', port: 22 },
      { host: 'b.test', port: 22 },
      { host: 'b.test', port: 22 },
    ],
    '2 refused: b.test:22 - gate passthrough b.test:22',
  ],
  [
    [
      { host: 'a.test', port: 443, reason: 'unreadable_protocol' },
      { host: 'b.test', port: 22 },
    ],
    '1 refused: b.test:22 - gate passthrough b.test:22',
  ],
  [
    [
      { host: 'b.test', port: 22 },
      { host: 'a.test', port: 443, reason: 'unreadable_protocol' },
    ],
    '1 refused: b.test:22 - gate passthrough b.test:22',
  ],
  [[{ host: 'new.test', port: 8081 }], '1 refused: new.test:8081 - on a list by now: run it again'],
])('of what was refused, the line names what helps: %j', (facts, line) => {
  expect(refusedLine(refused(...facts), [8081])).toBe(`gate: ${line}`);
});

// promise: summary
test('what no list entry helps is not named', () => {
  const useless = refused(
    { host: 'a.test', port: 53, proto: 'udp' },
    { host: 'a.test', port: 443, reason: 'denylisted' },
    { host: 'a.test', port: 443, reason: 'closed_without_request' },
  );
  expect(refusedLine(useless, [])).toBeUndefined();
});

test('a port scan is remembered up to a bound', () => {
  const targets = createRefusedTargets();
  for (let port = 1; port <= 5000; port += 1)
    targets.add({ proto: 'tcp', host: 'a.test', port, reason: 'port_not_captured' }, 1);
  expect(targets.read()).toHaveLength(1024);
});
