import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { GATE } from '../helpers/product.ts';

/** The packages that a file of the bundle was made of, by its source map. */
function packagesIn(map: string): string[] {
  const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] };
  return sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? []);
}

test('the bundle brings the licence of every package that it is made of', () => {
  const dist = dirname(GATE);
  const maps = readdirSync(dist).filter((name) => name.endsWith('.map'));
  const packages = [...new Set(maps.flatMap((name) => packagesIn(join(dist, name))))].sort();
  expect(packages).toContain('zod');
  const parts = readFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8').split(/^## /m).slice(1);
  expect(parts.map((part) => part.split(' ')[0])).toEqual(packages);
  for (const part of parts) expect(part).toMatch(/copyright/i);
});
