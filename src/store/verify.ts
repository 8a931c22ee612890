import { existsSync, statSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import type { GatePaths } from '../core/paths.ts';
import { FIRST_PREV } from './chain.ts';
import type { Finding, FindingKind, LineFinding } from './finding.ts';
import { createHeads } from './heads.ts';
import { readLedger } from './ledger-reader.ts';
import { whyUnreadable } from './readable.ts';
import { listRuns, type RunInfo } from './runs.ts';
import type { SignerKey } from './signing.ts';
import { createBodyCheck } from './verify-bodies.ts';
import { type ChainResult, createChainCheck, withoutEchoes } from './verify-chain.ts';
import { packFrames, packSize } from './verify-pack.ts';
import { verifyShared } from './verify-shared.ts';
import { signatureOf } from './verify-signature.ts';

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
  /** Signatures are checked by it. */
  readonly key?: SignerKey;
  /** Told of each run, and within one after each thousand records. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a check has come. */
export interface Progress {
  readonly run: RunId;
  /** Which run it is, counted from 1, of how many. */
  readonly number: number;
  readonly of: number;
  /** Records of this run so far. */
  readonly records: number;
}

const STEP = 1000;

/** Checks chains, counts, heads and every stored body. Reads only; never repairs. */
export async function verify(paths: GatePaths, options: VerifyOptions = {}): Promise<Verdict> {
  const heads = createHeads(paths).read();
  const infos = options.runs ?? listRuns(paths);
  const findings = await verifyShared(paths, heads, options.runs === undefined);
  const runs: RunVerdict[] = [];
  for (const [index, info] of infos.entries()) {
    const at = { run: info.run, number: index + 1, of: infos.length };
    const onRecords = (records: number): void => options.onProgress?.({ ...at, records });
    runs.push(await verifyRun(info, { ...options, onRecords }));
  }
  const ok = runs.every((run) => run.ok) && isFine(findings);
  return { ok, runs, findings };
}

export interface RunOptions extends Pick<VerifyOptions, 'head' | 'key'> {
  readonly onRecords?: (records: number) => void;
}

/** Checks one run. An I/O error becomes a finding of kind `unreadable`. */
export async function verifyRun(info: RunInfo, options: RunOptions = {}): Promise<RunVerdict> {
  const { run } = info;
  const unreadable = whyUnreadable(info);
  if (unreadable !== undefined) return unread(run, unreadable);
  const unbegun = isUnbegun(info);
  const findings: Finding[] = unbegun ? [] : missingFiles(info);
  const read = await readThrough(info, options);
  const { result, bodies } = read;
  findings.push(...read.findings);
  const about = [
    ...withoutEchoes(result.findings),
    ...tail(info, result),
    ...(unbegun
      ? [note('interrupted', 'its gate was killed before it wrote anything')]
      : againstHeads(info, result, read.hasEnd)),
  ];
  if (unbegun || existsSync(info.ledger))
    findings.push(...about.map((found) => ({ ...found, file: 'ledger' as const, run })));
  if (info.state === 'interrupted') findings.push(...(await packFrames(info)));
  findings.push(...packSize(info), ...signatureOf(info, options.key));
  findings.push(...againstGiven(run, result, options.head));
  return { run, ok: isFine(findings), records: result.records, bodies, head: result.head, findings };
}

interface ReadThrough {
  readonly result: ChainResult;
  readonly bodies: number;
  /** The last whole line is the run's end. */
  readonly hasEnd: boolean;
  /** About bodies, and what could not be read. */
  readonly findings: readonly Finding[];
}

/** Goes through a ledger line by line, with the bodies that each names. */
async function readThrough({ run, ledger, pack }: RunInfo, { onRecords }: RunOptions): Promise<ReadThrough> {
  const findings: Finding[] = [];
  const chain = createChainCheck();
  let bodies = 0;
  let lastType: unknown;
  try {
    const check = await createBodyCheck(pack);
    try {
      for await (const line of readLedger(ledger)) {
        if (line.index % STEP === 0) onRecords?.(line.index);
        chain.add(line);
        if (!line.torn) lastType = line.record?.['type'];
        findings.push(...(await check.line(line)).map((found) => ({ ...found, file: 'pack' as const, run })));
      }
    } finally {
      bodies = check.bodies;
      await check.close();
    }
  } catch (error) {
    findings.push(...unread(run, messageOf(error)).findings);
  }
  return { result: chain.result(), bodies, hasEnd: lastType === 'run.end', findings };
}

function againstGiven(run: RunId, { head }: ChainResult, given: string | undefined): Finding[] {
  if (given === undefined || given.toLowerCase() === head) return [];
  const message = `the last line's hash is ${head}, not the one that was given`;
  return [{ level: 'error', kind: 'head_mismatch', file: 'ledger', run, message }];
}

function unread(run: RunId, message: string): RunVerdict {
  const finding: Finding = { level: 'error', kind: 'unreadable', file: 'run', run, message };
  return { run, ok: false, records: 0, bodies: 0, head: FIRST_PREV, findings: [finding] };
}

function isFine(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.level !== 'error');
}

/** A kill can come before the files are made; a run of which anything was written is in heads.jsonl, or says so. */
function isUnbegun({ heads, ledger, pack }: RunInfo): boolean {
  return heads === undefined && [ledger, pack].every((file) => sizeOf(file) === 0);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function missingFiles(info: RunInfo): Finding[] {
  const { run } = info;
  const missing = (file: string, kind: FindingKind, name: 'ledger' | 'pack'): Finding[] =>
    existsSync(file) ? [] : [{ level: 'error', kind, file: name, run, message: `${file} was removed` }];
  return [...missing(info.ledger, 'missing_ledger', 'ledger'), ...missing(info.pack, 'missing_pack', 'pack')];
}

function tail(info: RunInfo, { tornBytes, tornHash }: ChainResult): LineFinding[] {
  const ended = info.heads?.ended;
  const noted = ended?.torn;
  const error = (message: string): LineFinding[] => [{ level: 'error', kind: 'torn_tail', message }];
  if (tornBytes === 0) {
    if (noted === undefined) return [];
    return error(`the torn last line was removed: ${noted.bytes} bytes without an end`);
  }
  const message = `the last line is torn: ${tornBytes} bytes without an end`;
  // Nothing tears the line of a run that was closed in order, or of one whose gate was dead already.
  if (ended === undefined) return [note('torn_tail', message)];
  if (noted === undefined) return error(message);
  if (noted.bytes === tornBytes && noted.sha256 === tornHash) return [note('torn_tail', message)];
  return error(`the torn last line was changed: it had ${noted.bytes} bytes, and has ${tornBytes}`);
}

/** The file as it is, against what heads.jsonl says it was. */
function againstHeads(info: RunInfo, result: ChainResult, hasEnd: boolean): LineFinding[] {
  const ended = info.heads?.ended;
  if (ended === undefined) return [unended(info, result, hasEnd)];
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
    const more = result.records - records;
    const message = `${more === 1 ? 'a line was' : `${more} lines were`} added after the run had ended`;
    return [...state, { level: 'error', kind: 'appended', line: records + 1, message }];
  }
  if (result.head === head) return state;
  if (result.findings.length > 0) return state;
  const message =
    'the chain holds, but not with heads.jsonl: the last line was edited, or the whole file rewritten';
  return [...state, { level: 'error', kind: 'head_mismatch', line: records, message }];
}

function unended(info: RunInfo, result: ChainResult, hasEnd: boolean): LineFinding {
  if (info.heads === undefined) {
    // No record but the first is written before the run is in heads.jsonl.
    const level = result.records > 1 ? 'error' : 'warning';
    return { level, kind: 'no_head', message: 'heads.jsonl does not know this run: its entry is gone' };
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

function note(kind: FindingKind, message: string): LineFinding {
  return { level: 'note', kind, message };
}
