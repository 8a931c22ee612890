import { expect, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { startGate } from '../helpers/shell.ts';

const { home, origin } = await homeAndOrigin('origin.test');

const RUNS = 4;
const REQUESTS = 40;

/** How a reader ended, and what it said. */
interface Read {
  readonly args: string;
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

// promise: reindex, ledger.heads
test('four runs record at once, while the index is made anew and read', { timeout: 240_000 }, async () => {
  const urls = `https://origin.test/[1-${REQUESTS}]`;
  const runs = Array.from({ length: RUNS }, () =>
    startGate(home, ['run', '-q', ...origin.runOptions, '--', 'curl', '-s', '-o', '/dev/null', urls]),
  );
  const ended = Promise.all(runs.map((run) => run.ended));
  let going = true;
  void ended.then(() => {
    going = false;
  });
  const reads: Read[] = [];
  const read = async (...args: string[]): Promise<void> => {
    while (going) {
      const { exitCode, stderr } = await home.gate([...args]);
      reads.push({ args: args.join(' '), exitCode, stderr });
    }
  };
  await Promise.all([read('reindex', '-q'), read('events', '--json'), read('runs', '--json')]);

  for (const { code, stderr } of await ended) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const failed = reads.filter(({ exitCode }) => exitCode !== 0);
  expect(failed).toEqual([]);
  expect(new Set(reads.map(({ args }) => args)).size).toBe(3);

  // Every exchange of every ledger is in the index, once, however it came there.
  const recorded = home.runs().flatMap(recordedIds);
  expect(recorded).toHaveLength(RUNS * REQUESTS);
  expect(await indexedIds()).toEqual(recorded.toSorted());
  expect(await home.gate(['reindex', '-q'])).toMatchObject({ exitCode: 0 });
  expect(await indexedIds()).toEqual(recorded.toSorted());
  const verdict = await home.gate(['verify', '--json']);
  expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true, findings: [] });
});

function recordedIds(run: string): string[] {
  return home
    .ledger(run)
    .filter(({ type }) => type === 'request')
    .map(({ id }) => String(id));
}

async function indexedIds(): Promise<string[]> {
  const { stdout } = await home.gate(['events', '--json']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
  return rows.map(({ id }) => id).toSorted();
}
