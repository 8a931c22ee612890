import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newRunId } from '../../../src/core/ids.ts';
import { createActions } from '../../../src/store/actions.ts';
import { createHeads } from '../../../src/store/heads.ts';
import { withLock } from '../../../src/store/lock.ts';
import { livenessOf, ownIdentity } from '../../../src/store/process-identity.ts';
import { findRun, listRuns, markInterrupted } from '../../../src/store/runs.ts';
import { verify, verifyRun } from '../../../src/store/verify.ts';
import { openTestRun, recordsOf, tempPaths } from './support.ts';

describe('chained logs', () => {
  it('numbers and chains, and is readable only by its owner', async () => {
    const paths = tempPaths();
    const actions = createActions(paths);
    for (let n = 0; n < 5; n += 1) actions.record('list.edit', { n });
    const records = await recordsOf(paths.actions);
    expect(records.map(({ seq, n }) => [seq, n])).toEqual([0, 1, 2, 3, 4].map((n) => [n, n]));
    expect((await verify(paths)).ok).toBe(true);
    for (const file of [paths.actions, paths.lock]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['half a record', (text: string) => text.slice(0, -20)],
    ['a few bytes', (text: string) => `${text}{"v"`],
    ['bytes that are no text', (text: string) => `${text}\u0000\u0000\u0000`],
  ])('goes on after a torn tail: %s', async (_, tear) => {
    const paths = tempPaths();
    const actions = createActions(paths);
    for (let n = 0; n < 3; n += 1) actions.record('list.edit', { n });
    writeFileSync(paths.actions, tear(readFileSync(paths.actions, 'utf8')));
    const before = readFileSync(paths.actions);
    actions.record('list.edit', { n: 'after' });
    actions.record('list.edit', { n: 'last' });
    expect(readFileSync(paths.actions).subarray(0, before.length).equals(before)).toBe(true);
    const records = await recordsOf(paths.actions);
    expect(records.slice(-3).map(({ type, n }) => n ?? type)).toEqual(['recovered', 'after', 'last']);
    const verdict = await verify(paths);
    expect(verdict.findings).toMatchObject([{ level: 'note', kind: 'damaged_line', file: 'actions' }]);
    expect(verdict.ok).toBe(true);
  });

  it('still notices an edit in a recovered line', async () => {
    const paths = tempPaths();
    const actions = createActions(paths);
    actions.record('list.edit', {});
    appendFileSync(paths.actions, '{"half');
    actions.record('list.edit', {});
    writeFileSync(paths.actions, readFileSync(paths.actions, 'utf8').replace('{"half', '{"hulf'));
    expect((await verify(paths)).ok).toBe(false);
  });

  it('gives up on a lock that another holds, with a code', () => {
    const paths = tempPaths();
    withLock(paths.lock, () => {
      expect(() => withLock(paths.lock, () => 1, 50)).toThrow(expect.objectContaining({ code: 'locked' }));
    });
    expect(withLock(paths.lock, () => 2, 50)).toBe(2);
  });
});

describe('runs', () => {
  it('tells a living process from a dead one, a reused pid and an earlier boot', () => {
    const own = ownIdentity();
    expect(livenessOf(own)).toBe('alive');
    expect(livenessOf({ ...own, started: '1' })).toBe('dead');
    expect(livenessOf({ ...own, pid: 2 ** 22 - 1 })).toBe('dead');
    expect(livenessOf({ ...own, boot: 'before' })).toBe('dead');
    expect(livenessOf({ ...own, place: 'elsewhere' })).toBe('unknown');
  });

  it('lists running, closed and interrupted runs, and marks the last once', async () => {
    const paths = tempPaths();
    const heads = createHeads(paths);
    const running = openTestRun(paths);
    heads.opened(running.run);
    await running.writer.durable(running.writer.append('run.start', {}).op);
    const dead = openTestRun(paths);
    heads.opened(dead.run);
    dead.writer.append('run.start', {});
    dead.writer.append('request', {});
    const left = await dead.writer.close();
    appendFileSync(dead.ledger, '{"v":1,"torn');
    // As if the gate that wrote it had been another process, now gone.
    const { started } = ownIdentity();
    const lines = readFileSync(paths.heads, 'utf8').trimEnd().split('\n');
    writeFileSync(paths.heads, `${lines[0]}\n${lines[1]?.replace(`"${started}"`, '"1"')}\n`);

    expect(
      listRuns(paths)
        .map(({ run, state }) => [run, state])
        .sort(),
    ).toEqual(
      [
        [running.run, 'running'],
        [dead.run, 'interrupted'],
      ].sort(),
    );
    expect(markInterrupted(paths)).toEqual([dead.run]);
    expect(markInterrupted(paths)).toEqual([]);
    const info = findRun(paths, dead.run);
    expect(info.heads?.ended).toMatchObject({ type: 'interrupted', ...left });
    const verdict = await verifyRun(info);
    expect(verdict.findings.map(({ kind, level }) => [kind, level])).toEqual([
      ['torn_tail', 'note'],
      ['interrupted', 'note'],
    ]);
    expect(verdict.ok).toBe(true);
    await running.writer.close();
  });

  it('does not stop at a run whose files are gone', () => {
    const paths = tempPaths();
    const heads = createHeads(paths);
    const run = newRunId();
    heads.opened(run);
    const text = readFileSync(paths.heads, 'utf8');
    writeFileSync(paths.heads, text.replace(`"${ownIdentity().started}"`, '"1"'));
    rmSync(paths.runs, { recursive: true, force: true });
    expect(markInterrupted(paths)).toEqual([]);
  });
});
