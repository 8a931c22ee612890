import { expect, test } from 'vitest';
import { nearest } from '../../../src/commands/nearest.ts';

const KNOWN = ['allowlist', 'denylist', 'jail', 'run', 'runs', 'ca'];

test.each([
  ['alowlist', 'allowlist'],
  ['JIAL', 'jail'],
  ['denylst', 'denylist'],
  ['rnu', 'run'],
  ['rnus', 'runs'],
  ['zebra', undefined],
  ['', undefined],
])('%s means %s', (typed, meant) => {
  expect(nearest(typed, KNOWN)).toBe(meant);
});
