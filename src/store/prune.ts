import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, GateError, messageOf } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import type { GatePaths } from '../core/paths.ts';
import { createActions } from './actions.ts';
import { syncDir } from './files.ts';
import { DOOMED, readPruned } from './pruned.ts';
import { filesAsFound, listRuns, markInterrupted, type RunInfo, type RunState } from './runs.ts';

/** Which runs go: those that ended before `before`, and then the oldest until `keepBytes` are left. */
export interface PruneRule {
  readonly before?: Date;
  readonly keepBytes?: number;
}

/** A run that goes, or has gone. */
export interface PrunedRun {
  readonly run: RunId;
  readonly state: RunState;
  /** When it ended, RFC 3339, UTC; of a run whose gate died, when its ledger last changed. */
  readonly endedAt: string;
  /** Of everything in its folder. */
  readonly bytes: number;
}

export interface PrunePlan {
  /** Oldest first. */
  readonly runs: readonly PrunedRun[];
  /** Runs that an earlier prune has recorded and could not remove. */
  readonly unfinished: readonly RunId[];
  readonly kept: { readonly runs: number; readonly bytes: number };
}

interface Candidate extends PrunedRun {
  readonly info: RunInfo;
  readonly mayGo: boolean;
}

/** A folder without an entry in heads.jsonl may be of a run that begins just now. */
const BEGINNING_MS = 60 * 60 * 1000;

/** Says which whole runs would go, and changes nothing. Throws the system's error. */
export async function planPrune(paths: GatePaths, rule: PruneRule): Promise<PrunePlan> {
  const recorded = await readPruned(paths.actions);
  const all = listRuns(paths);
  const unfinished = [
    ...all.filter(({ run }) => recorded.has(run)).map(({ run }) => run),
    ...doomedFolders(paths).map((name) => name.slice(0, -DOOMED.length)),
  ];
  const candidates = all.filter(({ run }) => !recorded.has(run)).map(candidate);
  candidates.sort((a, b) => a.endedAt.localeCompare(b.endedAt) || a.run.localeCompare(b.run));
  const runs = choose(candidates, rule);
  const left = candidates.filter((each) => !runs.includes(each));
  return {
    runs: runs.map(({ run, state, endedAt, bytes }) => ({ run, state, endedAt, bytes })),
    unfinished,
    kept: { runs: left.length, bytes: bytesOf(left) },
  };
}

/**
 * Removes what the plan names. That it was gate is on record, with each run's head, before the first file goes; what a
 * kill leaves behind is finished by the next prune. Throws GateError `prune_failed`, `locked` or the system's error.
 */
export async function prune(paths: GatePaths, rule: PruneRule): Promise<PrunePlan> {
  // First, so that a run whose gate died has its head on record like any other.
  markInterrupted(paths);
  const plan = await planPrune(paths, rule);
  if (plan.runs.length > 0) {
    const runs = plan.runs.map(({ run }) => ({ run, ...filesAsFound(paths, run) }));
    createActions(paths).record('prune', { runs });
  }
  for (const run of [...plan.unfinished, ...plan.runs.map(({ run }) => run)]) remove(paths, run);
  return plan;
}

function candidate(info: RunInfo): Candidate {
  const { run, state, dir } = info;
  const changed = (statSync(info.ledger, { throwIfNoEntry: false }) ?? statSync(dir)).mtime;
  const ended = info.heads?.ended;
  const endedAt = ended?.type === 'closed' ? ended.at : changed.toISOString();
  const mayBegin = info.heads === undefined && Date.now() - changed.getTime() < BEGINNING_MS;
  return { info, run, state, endedAt, bytes: folderBytes(dir), mayGo: state !== 'running' && !mayBegin };
}

function choose(oldestFirst: readonly Candidate[], rule: PruneRule): Candidate[] {
  const before = rule.before?.toISOString();
  let left = bytesOf(oldestFirst);
  return oldestFirst.filter((each) => {
    const tooOld = before !== undefined && each.endedAt < before;
    const tooMuch = rule.keepBytes !== undefined && left > rule.keepBytes;
    const goes = each.mayGo && (tooOld || tooMuch);
    if (goes) left -= each.bytes;
    return goes;
  });
}

/** A rename first: a folder of which half is gone must not pass for a run that somebody has tampered with. */
function remove(paths: GatePaths, run: RunId): void {
  const dir = join(paths.runs, run);
  const doomed = `${dir}${DOOMED}`;
  try {
    if (existsSync(dir)) {
      renameSync(dir, doomed);
      syncDir(paths.runs);
    }
    rmSync(doomed, { recursive: true, force: true });
  } catch (error) {
    // Another prune was quicker.
    if (codeOf(error) === 'ENOENT') return;
    throw new GateError('prune_failed', `cannot remove run ${run}: ${messageOf(error)}`, {
      hint: 'repair that, then type the same again: it goes on where it stopped',
      cause: error,
    });
  }
}

function doomedFolders(paths: GatePaths): string[] {
  return namesIn(paths.runs).filter((name) => name.endsWith(DOOMED));
}

function folderBytes(dir: string): number {
  return namesIn(dir).reduce(
    (sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function bytesOf(runs: readonly { readonly bytes: number }[]): number {
  return runs.reduce((sum, { bytes }) => sum + bytes, 0);
}
