import { existsSync, statSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import type { Finding, FindingKind, LineFinding } from './finding.ts';
import { createHeads, type RunHeads } from './heads.ts';
import { readLedger } from './ledger-reader.ts';
import { listRuns, type RunInfo } from './runs.ts';
import { createBodyCheck } from './verify-bodies.ts';
import { type ChainResult, createChainCheck, withoutEchoes } from './verify-chain.ts';

/** What a check of one run came to. */
export interface RunVerdict {
  readonly run: RunId;
  /** No finding of level `error`. */
  readonly ok: boolean;
  readonly records: number;
  readonly bodies: number;
  /** Hash of the last whole line: what `--head` and heads.jsonl name. */
  readonly head: string;
  readonly findings: readonly Finding[];
}

/** What a check of everything came to. */
export interface Verdict {
  readonly ok: boolean;
  readonly runs: readonly RunVerdict[];
  /** About `heads.jsonl`, `actions.jsonl` and runs whose folder is gone. */
  readonly findings: readonly Finding[];
}

export interface VerifyOptions {
  /** Only these runs; all when absent, with the shared files. */
  readonly runs?: readonly RunInfo[];
  /** The hash that the last line must have, noted elsewhere before. Makes sense with one run. */
  readonly head?: string;
  readonly onProgress?: (run: RunId) => void;
}

/** Checks chains, counts, heads and every stored body. Reads only; never repairs. */
export async function verify(paths: GatePaths, options: VerifyOptions = {}): Promise<Verdict> {
  const findings: Finding[] = [];
  findings.push(
    ...(await verifyShared(paths.heads, 'heads')),
    ...(await verifyShared(paths.actions, 'actions')),
  );
  const heads = createHeads(paths).read();
  if (options.runs === undefined) findings.push(...(await missingRuns(paths, heads)));
  const runs: RunVerdict[] = [];
  for (const info of options.runs ?? listRuns(paths)) {
    options.onProgress?.(info.run);
    runs.push(await verifyRun(info, options.head));
  }
  const ok = runs.every((run) => run.ok) && isFine(findings);
  return { ok, runs, findings };
}

/** Checks one run. An I/O error becomes a finding of kind `unreadable`. */
export async function verifyRun(info: RunInfo, expectedHead?: string): Promise<RunVerdict> {
  const { run } = info;
  const findings: Finding[] = missingFiles(info);
  const chain = createChainCheck();
  let bodies = 0;
  let lastType: unknown;
  try {
    const check = await createBodyCheck(info.pack);
    try {
      for await (const line of readLedger(info.ledger)) {
        chain.add(line);
        lastType = line.record?.['type'];
        findings.push(...(await check.line(line)).map((found) => ({ ...found, file: 'pack' as const, run })));
      }
    } finally {
      bodies = check.bodies;
      await check.close();
    }
  } catch (error) {
    findings.push({ level: 'error', kind: 'unreadable', file: 'run', run, message: messageOf(error) });
  }
  const result = chain.result();
  const about = [
    ...withoutEchoes(result.findings),
    ...tail(info, result),
    ...againstHeads(info, result, lastType === 'run.end'),
  ];
  if (existsSync(info.ledger))
    findings.push(...about.map((found) => ({ ...found, file: 'ledger' as const, run })));
  findings.push(...packSize(info));
  if (expectedHead !== undefined && expectedHead.toLowerCase() !== result.head) {
    const message = `the last line's hash is ${result.head}, not the one that was given`;
    findings.push({ level: 'error', kind: 'head_mismatch', file: 'ledger', run, message });
  }
  return { run, ok: isFine(findings), records: result.records, bodies, head: result.head, findings };
}

function isFine(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.level !== 'error');
}

async function verifyShared(file: string, name: 'heads' | 'actions'): Promise<Finding[]> {
  const chain = createChainCheck();
  const recovered: number[] = [];
  for await (const line of readLedger(file)) {
    chain.add(line);
    // The torn line before a `recovered` record is explained by it, and covered by its `prev`.
    if (line.record?.['type'] === 'recovered') recovered.push(line.index);
  }
  const { findings, tornBytes } = chain.result();
  const torn =
    tornBytes === 0 ? [] : [note('torn_tail', `${name}.jsonl ends in ${tornBytes} bytes of a line`)];
  const told = [...findings, ...torn].map((found) =>
    isExplained(found, recovered) ? { ...found, level: 'note' as const } : found,
  );
  return withoutEchoes(told).map((found) => ({ ...found, file: name }));
}

function isExplained(found: LineFinding, recovered: readonly number[]): boolean {
  return found.kind === 'damaged_line' && found.line !== undefined && recovered.includes(found.line);
}

/** Runs that heads.jsonl knows and that have no folder, unless a prune is on record that names them. */
async function missingRuns(paths: GatePaths, heads: ReadonlyMap<RunId, RunHeads>): Promise<Finding[]> {
  const pruned = new Set<unknown>();
  for await (const { record } of readLedger(paths.actions)) {
    if (record?.['type'] === 'prune' && Array.isArray(record['runs']))
      for (const run of record['runs']) pruned.add(run);
  }
  const isGone = (run: RunId): boolean => !pruned.has(run) && !existsSync(runPaths(paths, run).dir);
  return [...heads.keys()].filter(isGone).map((run) => ({
    level: 'error',
    kind: 'missing_run',
    file: 'run',
    run,
    message: `the folder of run ${run} was removed, and no prune is on record`,
  }));
}

function missingFiles(info: RunInfo): Finding[] {
  const missing = (file: string, kind: FindingKind, name: 'ledger' | 'pack'): Finding[] =>
    existsSync(file)
      ? []
      : [{ level: 'error', kind, file: name, run: info.run, message: `${file} was removed` }];
  return [...missing(info.ledger, 'missing_ledger', 'ledger'), ...missing(info.pack, 'missing_pack', 'pack')];
}

function tail(info: RunInfo, result: ChainResult): LineFinding[] {
  if (result.tornBytes === 0) return [];
  const message = `the last line is torn: ${result.tornBytes} bytes without an end`;
  // Nothing tears the line of a run that was closed in order.
  if (info.state === 'closed') return [{ level: 'error', kind: 'torn_tail', message }];
  return [note('torn_tail', message)];
}

/** The file as it is, against what heads.jsonl says it was. */
function againstHeads(info: RunInfo, result: ChainResult, hasEnd: boolean): LineFinding[] {
  const ended = info.heads?.ended;
  if (ended === undefined) return [unended(info, hasEnd)];
  const state =
    ended.type === 'interrupted'
      ? [note('interrupted', 'its gate was killed; read up to its last line')]
      : [];
  const { records, head } = ended;
  if (result.records < records) {
    const message = `${records - result.records} of ${records} lines are missing at the end`;
    return [...state, { level: 'error', kind: 'truncated', line: result.records, message }];
  }
  if (result.records > records) {
    const message = `${result.records - records} lines were added after the run had ended`;
    return [...state, { level: 'error', kind: 'appended', line: records + 1, message }];
  }
  if (result.head === head) return state;
  if (result.findings.length > 0) return state;
  const message =
    'the chain holds, but not with heads.jsonl: the last line was edited, or the whole file rewritten';
  return [...state, { level: 'error', kind: 'head_mismatch', line: records, message }];
}

function unended(info: RunInfo, hasEnd: boolean): LineFinding {
  if (info.heads === undefined) {
    return { level: 'warning', kind: 'no_head', message: 'heads.jsonl does not know this run' };
  }
  if (info.state === 'running') {
    return note('running', 'the run is going on; checked as far as it is written');
  }
  if (hasEnd) {
    const message = 'the run ended in order, but heads.jsonl does not say so';
    return { level: 'warning', kind: 'no_head', message };
  }
  const message =
    'its gate was killed, and no gate has been started since: a shortened end cannot be noticed';
  return { level: 'warning', kind: 'interrupted', message };
}

function packSize(info: RunInfo): Finding[] {
  const expected = info.heads?.ended?.packBytes;
  const found = statSync(info.pack, { throwIfNoEntry: false })?.size;
  if (expected === undefined || found === undefined || found === expected) return [];
  const kind = found < expected ? 'pack_truncated' : 'pack_appended';
  const message = `bodies.pack has ${found} bytes, and had ${expected} when the run ended`;
  return [{ level: 'error', kind, file: 'pack', run: info.run, message }];
}

function note(kind: FindingKind, message: string): LineFinding {
  return { level: 'note', kind, message };
}
