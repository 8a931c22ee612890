import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isFatal } from '../../../src/store/sqlite.ts';

const dir = mkdtempSync(join(tmpdir(), 'gate-binary-'));
const [old, hooked] = [join(dir, 'old.node'), join(dir, 'hooked.node')];
writeFileSync(old, '\0_ZN4node25AddEnvironmentCleanupHookE\0');
writeFileSync(hooked, '\0_ZN4node28RemoveEnvironmentCleanupHookE\0');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ['24.19.0', hooked, true],
  ['24.21.0', hooked, true],
  ['24.21.0', old, false],
  ['24.18.1', hooked, false],
  ['22.23.3', hooked, false],
  ['25.9.0', hooked, false],
  ['24.21.0', join(dir, 'missing'), false],
])('on Node %s the binary %s is one that ends the process: %s', (node, binary, fatal) => {
  expect(isFatal(node, binary)).toBe(fatal);
});
