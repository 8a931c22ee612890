import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

/** What a run of vitest says of tests that are skipped, and how it ends. */
async function outcome(tests: string, ...options: string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'gate-skips-'));
  const helper = JSON.stringify(resolve('test/helpers/skips.ts'));
  symlinkSync(resolve('node_modules'), join(dir, 'node_modules'));
  writeFileSync(
    join(dir, 'vitest.config.ts'),
    `import { explainedSkips } from ${helper}; export default { plugins: [explainedSkips()], test: { projects: [
      { extends: true, test: { name: 'one' } }, { extends: true, test: { name: 'two', exclude: ['*'] } } ] } };`,
  );
  writeFileSync(
    join(dir, 'some.test.ts'),
    `import { describe, expect, test } from 'vitest';
    import { skipBecause } from ${helper};
    test('runs', () => expect(1).toBe(1));
    ${tests}`,
  );
  const vitest = [resolve('node_modules/vitest/vitest.mjs'), 'run', ...options];
  const result = await execa(process.execPath, vitest, { cwd: dir, reject: false });
  rmSync(dir, { recursive: true });
  return { code: result.exitCode, stdout: result.stdout, said: result.stderr.match(/^skipped.*$/gm) ?? [] };
}

const EXPLAINED = `
describe('group', skipBecause('no moon'), () => { test('a', () => {}); test.each([1, 2])('b %i', () => {}); });
test('found out', (context) => context.skip(true, 'no sun'));
test('there', skipBecause(undefined), () => expect(1).toBe(1));
test('there, too', skipBecause(false), () => expect(1).toBe(1));`;

test('each reason is told once with its count, and a report is what it was', async () => {
  const { code, stdout, said } = await outcome(EXPLAINED, '--reporter=json');
  expect(said).toEqual(['skipped: no moon (3)', 'skipped: no sun (1)']);
  expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 3, numPendingTests: 4, numFailedTests: 0 });
  expect(code).toBe(0);
});

test('a run with a test that is skipped without a reason fails and names it', async () => {
  const silent = `describe('group', () => test.skip('silent', () => {}));
    test('empty', (context) => context.skip(true, ''));`;
  expect(await outcome(silent)).toMatchObject({
    code: 1,
    said: ['group > silent', 'empty'].map((name) => `skipped without a reason: some.test.ts > ${name}`),
  });
  // Those that a name or a line leaves out were not skipped by the tests.
  expect(await outcome(silent, '-t', 'runs')).toMatchObject({ code: 0, said: [] });
  const third = ['some.test.ts:3', '--includeTaskLocation'];
  expect(await outcome(silent, ...third)).toMatchObject({ code: 0, said: [] });
});
