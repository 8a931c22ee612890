import { expect, test } from 'vitest';
import { localReach } from '../../../src/policy/local-reach.ts';
import { parseResolveRule } from '../../../src/policy/resolve-rule.ts';
import { runPatterns } from '../../../src/policy/run-patterns.ts';

const OWN = new Set(['127.0.0.1', '::1', '192.168.7.5', 'fd12::5']);

interface Given {
  readonly allow?: string[];
  readonly passthrough?: string[];
  readonly deny?: string[];
  readonly allowLocal?: number[];
  readonly resolve?: string[];
}

function reach({ resolve = [], ...patterns }: Given): string[] {
  const rules = resolve.map((text) => {
    const result = parseResolveRule(text);
    if ('problem' in result) throw new Error(result.problem);
    return result.rule;
  });
  return localReach(runPatterns(patterns), rules, OWN);
}

// promise: summary
test.each<[Given, string[]]>([
  [{}, []],
  [{ allowLocal: [11434] }, ['local:11434']],
  [{ allow: ['localhost:5000'], passthrough: ['localhost:5432'] }, ['local:5000', 'local:5432']],
  [
    { allow: ['127.0.0.1:8080', '[::1]:8080', '127.9.9.9:8081', 'app.localhost:3000'] },
    ['local:3000', 'local:8080', 'local:8081'],
  ],
  // Without a port an entry opens no loopback, and the denylist opens nothing.
  [{ allow: ['localhost', '127.0.0.1'], deny: ['localhost:5000'] }, []],
  // The kernel takes 0.0.0.0 for the loopback.
  [{ allow: ['0.0.0.0:8080', '0.0.0.0'] }, ['local:8080', 'local:80', 'local:443']],
  // The machine's own addresses lead to services of the machine, other private ones elsewhere.
  [
    { allow: ['192.168.7.5:8080', '192.168.7.6:8080', '[fd12::5]:22'] },
    ['address:192.168.7.5:8080', 'address:[fd12::5]:22'],
  ],
  [{ allow: ['192.168.0.0/16'] }, ['address:192.168.7.5']],
  [{ passthrough: ['0.0.0.0/0'] }, ['address:192.168.7.5']],
  [
    { allow: ['169.254.169.254', '[fe80::1]:80', '224.0.0.1:80'] },
    ['address:169.254.169.254', 'address:[fe80::1]:80', 'address:224.0.0.1:80'],
  ],
  [{ allow: ['api.test', '*.test:8443', '203.0.113.9:8443'] }, []],
  [{ resolve: ['api.test:443:127.0.0.1:8443', 'b.test:80:[::1]'] }, ['local:8443', 'local:80']],
  [{ resolve: ['api.test:443:192.168.7.5:8443', 'b.test:443:192.0.2.1'] }, ['address:192.168.7.5:8443']],
  [{ allowLocal: [80], allow: ['localhost:80'], resolve: ['a.test:80:127.0.0.1'] }, ['local:80']],
])('what %j lets a command reach here is named', (given, named) => {
  expect(reach(given)).toEqual(named);
});
