import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { promisesPage, readHeld, readPromises } from '../../promises/collect.ts';

const root = process.cwd();

test('docs/promises.md says what the tests say (npm run docs writes it)', () => {
  expect(readFileSync('docs/promises.md', 'utf8')).toBe(promisesPage(readPromises(root), readHeld(root)));
});

test('every promise that a test claims to hold exists', () => {
  const known = new Set(readPromises(root).map(({ id }) => id));
  const unknown = readHeld(root).filter(({ id, test: title }) => !known.has(id) || title === '');
  expect(unknown).toEqual([]);
});
