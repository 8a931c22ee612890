import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { startGate } from '../helpers/shell.ts';

let home: TestHome;
beforeEach(() => {
  home = testHome();
});
afterEach(() => home.remove());

// promise: prune
test('old runs go, on record, and verify knows that it was gate', async () => {
  for (const word of ['one', 'two']) await home.gate(['run', '-q', '--', 'echo', word]);
  const [first, second] = home.runs();
  const sleeper = startGate(home, ['run', '-q', '--', 'sh', '-c', 'echo up; sleep 60']);
  await sleeper.says(/up/);
  const going = home.runs().at(-1);

  const none = await home.gate(['prune', '--older-than', '1d']);
  expect(none).toMatchObject({ exitCode: 0, stdout: '' });
  expect(none.stderr).toMatch(/^gate: removed 0 runs/);
  const dry = await home.gate(['prune', '--keep-bytes', '0', '--dry-run']);
  expect(dry.stdout.split('\n')).toHaveLength(4);
  expect(dry.stderr).toMatch(/^gate: would remove 2 runs \(.*\); 1 run \(.*\) left\n$/);
  expect(home.runs()).toEqual([first, second, going]);

  const done = await home.gate(['prune', '--older-than', '0h', '--json', '-q']);
  expect(done.stderr).toBe('');
  expect(JSON.parse(done.stdout)).toMatchObject({
    dryRun: false,
    runs: [{ run: first, state: 'closed' }, { run: second }],
    unfinished: [],
    kept: { runs: 1 },
  });
  expect(home.runs()).toEqual([going]);
  expect(home.actions()).toMatchObject([
    { type: 'prune', runs: [{ run: first, records: 2 }, { run: second }] },
  ]);
  process.kill(sleeper.pid, 'SIGTERM');
  await sleeper.ended;
  const verdict = await home.gate(['verify', '--json']);
  expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true, findings: [], runs: [{ run: going }] });
});

test('what is asked for must be said, and not from inside', async () => {
  await home.gate(['run', '-q', '--', 'true']);
  for (const args of [[], ['--older-than', '30'], ['--keep-bytes', 'all']]) {
    const refused = await home.gate(['prune', ...args]);
    expect(refused, args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^gate: .*\n {2}gate prune/);
  }
  const inside = await home.gate(['prune', '--keep-bytes', '0'], { env: { GATE_RUN: home.runs()[0] ?? '' } });
  expect(inside).toMatchObject({ exitCode: 1 });
  expect(inside.stderr).toContain('from inside gate run');
  expect(readdirSync(home.at('data/runs'))).toHaveLength(1);
});
