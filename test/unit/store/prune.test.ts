import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newRunId, type RunId } from '../../../src/core/ids.ts';
import { type GatePaths, runPaths } from '../../../src/core/paths.ts';
import { createActions } from '../../../src/store/actions.ts';
import { createHeads } from '../../../src/store/heads.ts';
import { planPrune, prune } from '../../../src/store/prune.ts';
import { listRuns } from '../../../src/store/runs.ts';
import { verify } from '../../../src/store/verify.ts';
import { openTestRun, recordsOf, tempPaths } from './support.ts';

const DAY = 24 * 60 * 60 * 1000;

/** A closed run with a body of so many bytes that do not compress. */
async function closedRun(paths: GatePaths, bytes = 100): Promise<RunId> {
  const { run, writer } = openTestRun(paths);
  createHeads(paths).opened(run);
  const meta = { exchange: 1, side: 'request', type: 'image/png' } as const;
  writer.append('run.start', { run });
  writer.append('request', {}, { body: { kind: 'whole', meta, bytes: Buffer.alloc(bytes, run) } });
  createHeads(paths).closed(run, await writer.close());
  return run;
}

const inFuture = (ms: number): Date => new Date(Date.now() + ms);
const idsOf = (runs: readonly { run: RunId }[]): RunId[] => runs.map(({ run }) => run);
const verdictOf = async (paths: GatePaths) => (await verify(paths)).ok;

// promise: prune
describe('prune', () => {
  it('removes whole runs that ended before a time, with their heads on record', async () => {
    const paths = tempPaths();
    const runs = [await closedRun(paths), await closedRun(paths)];
    expect(await prune(paths, { before: inFuture(-DAY) })).toMatchObject({ runs: [], kept: { runs: 2 } });
    expect(existsSync(paths.actions)).toBe(false);
    const heads = createHeads(paths).read();
    const done = await prune(paths, { before: inFuture(DAY) });
    expect(idsOf(done.runs)).toEqual(runs);
    expect(done.kept).toEqual({ runs: 0, bytes: 0 });
    expect(readdirSync(paths.runs)).toEqual([]);
    const [action] = await recordsOf(paths.actions);
    expect(action).toMatchObject({
      type: 'prune',
      runs: runs.map((run) => ({ run, records: 2, head: heads.get(run)?.ended?.head })),
    });
    expect((await verify(paths)).findings).toEqual([]);
  });

  it('removes the oldest until so many bytes are left', async () => {
    const paths = tempPaths();
    const runs = [
      await closedRun(paths, 50_000),
      await closedRun(paths, 50_000),
      await closedRun(paths, 50_000),
    ];
    const planned = await planPrune(paths, { keepBytes: 110_000 });
    expect(idsOf(planned.runs)).toEqual(runs.slice(0, 1));
    expect(idsOf(listRuns(paths))).toEqual(runs);
    const done = await prune(paths, { keepBytes: 60_000 });
    expect(idsOf(done.runs)).toEqual(runs.slice(0, 2));
    expect(idsOf(listRuns(paths))).toEqual(runs.slice(2));
    expect(done.kept.bytes).toBeLessThan(60_000);
    expect(await verdictOf(paths)).toBe(true);
  });

  it('never removes a run that goes on, or that is about to begin', async () => {
    const paths = tempPaths();
    const going = openTestRun(paths);
    createHeads(paths).opened(going.run);
    const beginning = openTestRun(paths);
    await beginning.writer.written(beginning.writer.append('run.start', {}).op);
    expect((await prune(paths, { keepBytes: 0 })).runs).toEqual([]);
    expect(idsOf(listRuns(paths))).toEqual([going.run, beginning.run]);
    await Promise.all([going.writer.close(), beginning.writer.close()]);
    const longAgo = inFuture(-DAY);
    utimesSync(beginning.ledger, longAgo, longAgo);
    expect(idsOf((await prune(paths, { keepBytes: 0 })).runs)).toEqual([beginning.run]);
  });

  it('notes the head of a run whose gate died before it goes', async () => {
    const paths = tempPaths();
    const { run, writer, ledger } = openTestRun(paths);
    writer.append('run.start', { run });
    await writer.close();
    const dead = { pid: 2 ** 22 + 1, started: '1', boot: 'another', place: place(paths) };
    writeFileSync(paths.heads, openedLine(run, dead));
    const { runs } = await prune(paths, { keepBytes: 0 });
    expect(runs).toMatchObject([{ run, state: 'interrupted' }]);
    expect(existsSync(ledger)).toBe(false);
    expect((await recordsOf(paths.heads)).map(({ type }) => type)).toEqual([
      'opened',
      'interrupted',
      'acted',
    ]);
    expect((await recordsOf(paths.actions))[0]?.['runs']).toMatchObject([{ run, records: 1 }]);
    expect(await verdictOf(paths)).toBe(true);
  });

  it.each([
    ['after it was recorded', () => undefined],
    ['after the rename', (dir: string) => renameSync(dir, `${dir}.pruned`)],
    [
      'in the middle of the files',
      (dir: string) => {
        renameSync(dir, `${dir}.pruned`);
        rmSync(join(`${dir}.pruned`, 'ledger.jsonl'));
      },
    ],
  ])('finishes what was killed %s, and none of it passes for tampering', async (_, killed) => {
    const paths = tempPaths();
    const [first, second] = [await closedRun(paths), await closedRun(paths)];
    const head = createHeads(paths).read().get(first)?.ended?.head;
    createActions(paths).record('prune', { runs: [{ run: first, head }] });
    killed(runPaths(paths, first).dir);
    const verdict = await verify(paths);
    expect(verdict.ok).toBe(true);
    expect(verdict.findings).toMatchObject([{ kind: 'pruned', level: 'note', run: first }]);
    const next = await prune(paths, { before: inFuture(-DAY) });
    expect(next).toMatchObject({ runs: [], unfinished: [first], kept: { runs: 1 } });
    expect(readdirSync(paths.runs)).toEqual([second]);
    expect((await verify(paths)).findings).toEqual([]);
  });

  it('shows a run that was changed before it was pruned', async () => {
    const paths = tempPaths();
    const run = await closedRun(paths);
    writeFileSync(runPaths(paths, run).ledger, '{}\n');
    await prune(paths, { keepBytes: 0 });
    expect((await verify(paths)).findings).toMatchObject([{ kind: 'head_mismatch', level: 'error', run }]);
  });

  it('leaves alone what is no run, and needs no data folder', async () => {
    const paths = tempPaths();
    expect(await prune(paths, { keepBytes: 0 })).toMatchObject({ runs: [], unfinished: [] });
    mkdirSync(join(paths.runs, 'notes'), { recursive: true });
    await prune(paths, { keepBytes: 0 });
    expect(readdirSync(paths.runs)).toEqual(['notes']);
  });
});

function openedLine(run: RunId, process: object): string {
  const prev = '0'.repeat(64);
  return `${JSON.stringify({ v: 1, seq: 0, type: 'opened', at: new Date().toISOString(), prev, run, process })}\n`;
}

/** The place of this process, as heads.jsonl names it. */
function place(paths: GatePaths): string {
  const other = { ...paths, heads: `${paths.heads}.other`, lock: `${paths.lock}.other` };
  const run = newRunId();
  createHeads(other).opened(run);
  return createHeads(other).read().get(run)?.opened?.process.place ?? '';
}
