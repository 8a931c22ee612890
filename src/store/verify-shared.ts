import { existsSync, readdirSync } from 'node:fs';
import { isRunId, type RunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import { lineHash } from './chain.ts';
import { type LogHead, readText } from './chained-log.ts';
import type { Finding, LineFinding } from './finding.ts';
import { lastActed, type RunHeads } from './heads.ts';
import { readLedger } from './ledger-reader.ts';
import { DOOMED, type PrunedEntry, readPruned } from './pruned.ts';
import { createChainCheck, withoutEchoes } from './verify-chain.ts';

/** Lines that `actions.jsonl` may have beyond what heads.jsonl says: of a gate that was killed between the two. */
const UNSAID = 2;

/**
 * Checks `heads.jsonl` and `actions.jsonl`, each by its chain and by what the other says of it; with `allRuns` also
 * that no run is gone that was not pruned.
 */
export async function verifyShared(
  paths: GatePaths,
  heads: ReadonlyMap<RunId, RunHeads>,
  allRuns: boolean,
): Promise<Finding[]> {
  const acted = lastActed(readText(paths.heads));
  const findings = [
    ...(await verifyLog(paths.heads, 'heads')),
    ...(await verifyLog(paths.actions, 'actions', acted ?? { records: 0, head: '' })),
  ];
  if (!allRuns) return findings;
  const pruned = await readPruned(paths.actions);
  return [...findings, ...missingRuns(paths, heads, pruned), ...prunedRuns(paths, heads, pruned)];
}

/** `expected`: how the file stood when that was last noted. */
async function verifyLog(file: string, name: 'heads' | 'actions', expected?: LogHead): Promise<Finding[]> {
  const chain = createChainCheck();
  const recovered: number[] = [];
  let found: string | undefined;
  for await (const line of readLedger(file)) {
    chain.add(line);
    if (line.index + 1 === expected?.records) found = lineHash(line.bytes);
    // The torn line before a `recovered` record is explained by it, and covered by its `prev`.
    if (line.record?.['type'] === 'recovered') recovered.push(line.index);
  }
  const { findings, records, tornBytes } = chain.result();
  const torn: LineFinding[] =
    tornBytes === 0
      ? []
      : [{ level: 'note', kind: 'torn_tail', message: `${name}.jsonl ends in ${tornBytes} bytes of a line` }];
  const told = [...findings, ...torn].map((each) =>
    isExplained(each, recovered) ? { ...each, level: 'note' as const } : each,
  );
  const against = expected === undefined ? [] : againstNote(told, { records, head: found }, expected);
  return [
    ...withoutEchoes(told).map((each) => ({ ...each, file: name })),
    ...against.map((each) => ({ file: name, ...each })),
  ];
}

/** What `actions.jsonl` is, against what heads.jsonl says it was. */
function againstNote(
  told: readonly LineFinding[],
  found: { readonly records: number; readonly head: string | undefined },
  expected: LogHead,
): (LineFinding & { readonly file?: 'heads' })[] {
  if (found.records < expected.records) {
    const missing = expected.records - found.records;
    const message = `${missing} of ${expected.records} lines of actions.jsonl are missing at the end`;
    return [{ level: 'error', kind: 'truncated', line: found.records, message }];
  }
  if (found.records > expected.records + UNSAID) {
    const message = `heads.jsonl knows of ${expected.records} lines of actions.jsonl, not of ${found.records}: its end was cut`;
    return [{ level: 'error', kind: 'truncated', file: 'heads', message }];
  }
  if (expected.records === 0 || found.head === expected.head) return [];
  if (told.some(({ level }) => level === 'error')) return [];
  const message = 'the chain holds, but not with heads.jsonl: a line was edited, or the whole file rewritten';
  return [{ level: 'error', kind: 'head_mismatch', line: expected.records, message }];
}

function isExplained(found: LineFinding, recovered: readonly number[]): boolean {
  return found.kind === 'damaged_line' && found.line !== undefined && recovered.includes(found.line);
}

type Pruned = ReadonlyMap<RunId, PrunedEntry>;

/** Runs that heads.jsonl knows and that have no folder, unless a prune is on record that names them. */
function missingRuns(paths: GatePaths, heads: ReadonlyMap<RunId, RunHeads>, pruned: Pruned): Finding[] {
  const isGone = (run: RunId): boolean => !pruned.has(run) && !existsSync(runPaths(paths, run).dir);
  return [...heads.keys()].filter(isGone).map((run) => ({
    level: 'error',
    kind: 'missing_run',
    file: 'run',
    run,
    message: `the folder of run ${run} was removed, and no prune is on record`,
  }));
}

/** Prunes that are not finished, and runs that were no longer what they had been when they were pruned. */
function prunedRuns(paths: GatePaths, heads: ReadonlyMap<RunId, RunHeads>, pruned: Pruned): Finding[] {
  const names = new Set(existsSync(paths.runs) ? readdirSync(paths.runs) : []);
  return [...pruned.values()]
    .filter(({ run }) => isRunId(run))
    .flatMap(({ run, head }): Finding[] => {
      const ended = heads.get(run)?.ended;
      const found: Finding[] = [];
      if (names.has(run) || names.has(`${run}${DOOMED}`)) {
        const message = `run ${run} is to be pruned and is not yet gone; the next gate prune finishes it`;
        found.push({ level: 'note', kind: 'pruned', file: 'run', run, message });
      }
      if (ended !== undefined && head !== undefined && ended.head !== head) {
        const message = `run ${run} had been changed before it was pruned: its head was no longer that of heads.jsonl`;
        found.push({ level: 'error', kind: 'head_mismatch', file: 'run', run, message });
      }
      return found;
    });
}
