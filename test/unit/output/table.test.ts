import { expect, test } from 'vitest';
import { table } from '../../../src/output/table.ts';

test('columns are as wide as their widest cell, and nothing trails', () => {
  expect(
    table(
      ['A', 'LONG'],
      [
        ['abc', ''],
        ['d', 'e'],
      ],
    ),
  ).toBe('A    LONG\nabc\nd    e\n');
});

test('more rows than a call may have arguments', () => {
  const rows = Array.from({ length: 300_000 }, (_, i) => [String(i)]);
  expect(table(['N'], rows)).toHaveLength(2 + rows.join('\n').length + 1);
});
