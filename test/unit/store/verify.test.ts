import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPaths } from '../../../src/core/paths.ts';
import { createActions } from '../../../src/store/actions.ts';
import { lineHash } from '../../../src/store/chain.ts';
import { createHeads } from '../../../src/store/heads.ts';
import { findRun, listRuns } from '../../../src/store/runs.ts';
import { verify, verifyRun } from '../../../src/store/verify.ts';
import { createProse, createRandom } from './random.ts';
import { openTestRun, tempPaths } from './support.ts';

/** A closed run of ten records: a start, eight requests with bodies, an end. */
async function closedRun(paths = tempPaths()) {
  const { run, writer, ledger, pack, dir } = openTestRun(paths);
  const heads = createHeads(paths);
  heads.opened(run);
  const prose = createProse(createRandom(11));
  writer.append('run.start', { run });
  for (let n = 1; n <= 8; n += 1) {
    const meta = { exchange: n, side: 'request', type: 'text/plain' } as const;
    writer.append(
      'request',
      { id: `${run}:${n}` },
      { body: { kind: 'whole', meta, bytes: Buffer.from(prose(3000)) } },
    );
  }
  writer.append('run.end', {});
  heads.closed(run, await writer.close());
  return { paths, run, ledger, pack, dir };
}

type ClosedRun = Awaited<ReturnType<typeof closedRun>>;

/** Changes the lines of the ledger (without their LF). */
function editLines(given: ClosedRun, edit: (lines: string[]) => string[]): void {
  const lines = readFileSync(given.ledger, 'utf8').split('\n').slice(0, -1);
  writeFileSync(
    given.ledger,
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

async function kindsOf({ paths, run }: ClosedRun): Promise<string[]> {
  const verdict = await verifyRun(findRun(paths, run));
  const errors = verdict.findings.filter((finding) => finding.level === 'error');
  expect(verdict.ok).toBe(errors.length === 0);
  return errors.map((finding) => `${finding.kind} ${finding.line ?? '-'}`);
}

const LINE_EDITS: [string, (lines: string[]) => string[], string[]][] = [
  ['nothing', (lines) => lines, []],
  ['a character', (lines) => lines.with(4, (lines[4] ?? '').replace('"type"', '"tyqe"')), ['edited_line 5']],
  [
    'the seq',
    (lines) => lines.with(4, (lines[4] ?? '').replace('"seq":4', '"seq":400')),
    ['removed_lines 5', 'moved_line 6'],
  ],
  ['garbage', (lines) => lines.with(4, 'not a record'), ['damaged_line 5']],
  ['a line gone', (lines) => lines.toSpliced(4, 1), ['removed_lines 5', 'truncated 9']],
  ['three lines gone', (lines) => lines.toSpliced(3, 3), ['removed_lines 4', 'truncated 7']],
  [
    'two lines swapped',
    (lines) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? ''),
    ['moved_line 5', 'moved_line 6'],
  ],
  ['a line twice', (lines) => lines.toSpliced(5, 0, lines[4] ?? ''), ['inserted_line 6', 'appended 11']],
  ['the end cut at a line', (lines) => lines.slice(0, 7), ['truncated 7']],
  ['everything cut', () => [], ['truncated 0']],
  ['a line added', (lines) => [...lines, forged(lines)], ['appended 11']],
  [
    'the last line edited',
    (lines) => lines.with(9, (lines[9] ?? '').replace('run.end', 'run.eno')),
    ['head_mismatch 10'],
  ],
  ['everything written anew', rewritten, ['head_mismatch 10']],
];

/** A line that continues the chain as gate itself would. */
function forged(lines: string[]): string {
  return `{"v":1,"seq":${lines.length},"type":"dns","at":"x","prev":"${lineHash(lines.at(-1) ?? '')}"}`;
}

/** A whole chain computed again after an edit, by somebody who knows how. */
function rewritten(lines: string[]): string[] {
  const made: string[] = [];
  for (const [index, line] of lines.entries()) {
    const changed = index === 4 ? line.replace('"request"', '"dns"') : line;
    const prev = index === 0 ? '0'.repeat(64) : lineHash(made[index - 1] ?? '');
    made.push(changed.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`));
  }
  return made;
}

describe('verify', () => {
  it.each(LINE_EDITS)('ledger: %s', async (_, edit, expected) => {
    const given = await closedRun();
    editLines(given, edit);
    expect(await kindsOf(given)).toEqual(expected);
  });

  it('tells a torn tail from a cut one', async () => {
    const given = await closedRun();
    truncateSync(given.ledger, statSync(given.ledger).size - 5);
    expect(await kindsOf(given)).toEqual(['torn_tail -', 'truncated 9']);
  });

  it('checks bodies behind a damaged line too', async () => {
    const given = await closedRun();
    editLines(given, (lines) => lines.with(2, '{{{'));
    const verdict = await verifyRun(findRun(given.paths, given.run));
    expect(verdict).toMatchObject({ records: 10, bodies: 7 });
  });

  it('notices a changed, a missing and an exchanged body', async () => {
    const given = await closedRun();
    const bytes = readFileSync(given.pack);
    const size = bytes.length;
    bytes[size - 10] = (bytes[size - 10] ?? 0) ^ 1;
    writeFileSync(given.pack, bytes);
    expect(await kindsOf(given)).toEqual(['body_damaged 9']);
    truncateSync(given.pack, size - 10);
    expect(await kindsOf(given)).toEqual(['body_missing 9', 'pack_truncated -']);
    appendFileSync(given.pack, 'twenty bytes of text');
    expect(await kindsOf(given)).toEqual(['body_damaged 9', 'pack_appended -']);
    rmSync(given.pack);
    expect((await kindsOf(given)).slice(0, 2)).toEqual(['missing_pack -', 'body_missing 2']);
  });

  it('notices a body that was exchanged with its frame made anew', async () => {
    const given = await closedRun();
    const other = await closedRun();
    const mine = readFileSync(given.pack);
    const theirs = readFileSync(other.pack);
    expect(mine.equals(theirs)).toBe(true);
    editLines(given, (lines) => {
      const parts = (line: string | undefined): string => /"parts":\[.*?\]\]/.exec(line ?? '')?.[0] ?? '';
      return lines
        .with(9, lines[9] ?? '')
        .with(3, (lines[3] ?? '').replace(parts(lines[3]), parts(lines[4])));
    });
    expect(await kindsOf(given)).toEqual(['body_changed 4', 'edited_line 4']);
  });

  it('takes a run that was killed before its first record for what it is', async () => {
    const paths = tempPaths();
    const { run, dir, ledger } = openTestRun(paths);
    const expectNote = async (): Promise<void> => {
      const { ok, runs, findings } = await verify(paths);
      expect({ ok, findings }).toEqual({ ok: true, findings: [] });
      expect(runs[0]?.findings).toMatchObject([{ level: 'note', kind: 'interrupted', run }]);
    };
    await expectNote();
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    await expectNote();
    // Once something was written, its files cannot just be gone.
    writeFileSync(ledger, '{"v":1}\n');
    expect((await verify(paths)).ok).toBe(false);
  });

  it('notices removed files and folders, and knows pruned ones', async () => {
    const given = await closedRun();
    const second = await closedRun(given.paths);
    expect((await verify(given.paths)).ok).toBe(true);
    rmSync(given.ledger);
    expect(await kindsOf(given)).toEqual(['missing_ledger -']);
    rmSync(given.dir, { recursive: true });
    const gone = await verify(given.paths);
    expect(gone.findings).toMatchObject([{ kind: 'missing_run', run: given.run }]);
    createActions(given.paths).record('prune', { runs: [{ run: given.run }] });
    expect((await verify(given.paths)).ok).toBe(true);
    expect(listRuns(given.paths).map(({ run }) => run)).toEqual([second.run]);
  });

  it('notices edits of heads.jsonl, and a run that it does not know', async () => {
    const given = await closedRun();
    const text = readFileSync(given.paths.heads, 'utf8');
    writeFileSync(given.paths.heads, text.replace('"opened"', '"OPENED"'));
    expect((await verify(given.paths)).findings).toMatchObject([
      { kind: 'edited_line', file: 'heads', line: 1 },
    ]);
    rmSync(given.paths.heads);
    const verdict = await verify(given.paths);
    expect(verdict.runs[0]?.findings).toMatchObject([{ kind: 'no_head', level: 'error' }]);
  });

  it('compares with a hash that was noted elsewhere', async () => {
    const given = await closedRun();
    const info = findRun(given.paths, given.run.slice(-6).toLowerCase());
    const { head } = await verifyRun(info);
    expect((await verifyRun(info, { head: head.toUpperCase() })).ok).toBe(true);
    expect((await verifyRun(info, { head: '0'.repeat(64) })).findings).toMatchObject([
      { kind: 'head_mismatch' },
    ]);
  });

  it('is not stopped by records, fields and bodies of a later version', async () => {
    const paths = tempPaths();
    const { run, writer } = openTestRun(paths);
    createHeads(paths).opened(run);
    writer.append('run.start', { run, new: { field: [1] } });
    writer.append('hologram', { id: 1 });
    createHeads(paths).closed(run, await writer.close());
    expect((await verifyRun(findRun(paths, 'last'))).findings).toEqual([]);
  });

  it('agrees with the check by hand that the documentation gives', async () => {
    const given = await closedRun();
    const page = readFileSync(new URL('../../../docs/data-format.md', import.meta.url), 'utf8');
    const script = /```sh\n(.*?)```/s.exec(page)?.[1] ?? '';
    const { head } = await verifyRun(findRun(given.paths, 'last'));
    const run = (): string => spawnSync('sh', ['-c', script], { cwd: given.dir, encoding: 'utf8' }).stdout;
    expect(run()).toBe(`10 lines, head ${head}\n`);
    editLines(given, (lines) => lines.with(4, (lines[4] ?? '').replace('"type"', '"tyqe"')));
    expect(run()).toContain('line 6 does not continue the chain');
  });

  it('refuses names that fit no run or several', async () => {
    const given = await closedRun();
    expect(() => findRun(given.paths, 'ZZZZZZ')).toThrow(expect.objectContaining({ code: 'no_such_run' }));
    expect(runPaths(given.paths, given.run).dir).toBe(findRun(given.paths, 'last').dir);
  });
});
