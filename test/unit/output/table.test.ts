import { expect, test } from 'vitest';
import { fitted } from '../../../src/output/fit.ts';
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

test('more rows than a call may have arguments, with and without a width', () => {
  const rows = Array.from({ length: 300_000 }, (_, i) => [String(i)]);
  expect(table(['N'], rows)).toHaveLength(2 + rows.join('\n').length + 1);
  const cells = rows.map((row) => row.map((text) => ({ text })));
  expect(fitted(cells, { width: 80, flexible: 0 })).toBe(`${rows.join('\n')}\n`);
});
