import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/core/policy.ts';
import { addressOf, CASES, type Case, policyOf, SOMEWHERE, show, targetOf } from './decisions.ts';

function decide(one: Case): string {
  const target = targetOf(one);
  const policy = policyOf(one);
  const name = policy.byName(target);
  const candidates = (one.at ?? SOMEWHERE)
    .map(addressOf)
    .map(({ address, port, pinned }): Candidate => ({ address, port: port ?? target.port, pinned }));
  const { decision, candidates: dial } = policy.byAddress(target, name, candidates);
  expect(dial).toEqual(decision.verdict === 'forward' ? candidates : []);
  const by = decision.pattern === undefined ? '' : ` by ${decision.list} ${decision.pattern}`;
  const tunnel = name.action === 'tunnel' && decision.verdict === 'forward' ? 'tunnel: ' : '';
  return `${tunnel}${decision.verdict} ${decision.reason}${by}`;
}

describe.each(CASES)('%s', (_, cases) => {
  // promise: decide.vetted, lists.cidr
  test.each(cases.map((one) => [show(one), one.says, one] as const))('%s → %s', (_shown, says, one) => {
    expect(decide(one)).toBe(says);
  });
});
