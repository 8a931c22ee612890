import { expect, test } from 'vitest';
import { paint } from '../../../src/output/color.ts';
import { type ShownCounts, statsText } from '../../../src/output/stats.ts';

const counts: ShownCounts = {
  exchanges: 1,
  tunnels: 0,
  refused: 0,
  blocked: 0,
  flags: 0,
  highFlags: 0,
  bytesSent: 0,
  bytesGot: 0,
  llm: 0,
  tokens: { input: 0, output: 0, cacheRead: 0 },
  costUsd: null,
  unpriced: 0,
  p50Ms: null,
  p95Ms: null,
};

test('runs are shown by the six characters that other commands take', () => {
  const groups = [
    { ...counts, key: '01M7ZHKP6KX1MZD6RF99M4WNG2' },
    { ...counts, key: null },
  ];
  const text = statsText('run', { total: counts, groups }, { paint: paint(false), width: undefined });
  expect(text.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
    'RUN',
    'M4WNG2',
    '(none)',
    'all',
    '',
  ]);
});
