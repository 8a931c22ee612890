import { expect, test } from 'vitest';
import { type ListedRun, runsTable } from '../../../src/output/runs.ts';

const run: ListedRun = {
  run: '01M7ZHKP6KX1MZD6RF99M4WNG2',
  state: 'closed',
  argv: ['echo', ...Array.from({ length: 200 }, (_, i) => String(i))],
  exitCode: 0,
};

test('a long command gives way on a terminal, and is whole elsewhere', () => {
  const [, line = ''] = runsTable([run], 80).split('\n');
  expect(line).toMatch(/^M4WNG2 .* echo 0 1 2.*…$/);
  expect(line).toHaveLength(80);
  expect(runsTable([run], undefined)).toContain(' 198 199\n');
  expect(runsTable([], 80)).toBe('');
});
