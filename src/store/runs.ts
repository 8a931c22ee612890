import { existsSync, readdirSync, statSync } from 'node:fs';
import { codeOf, EXIT, GateError } from '../core/errors.ts';
import { isRunId, type RunId, shortRunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import { createHeads, type RunHeads } from './heads.ts';
import { readLineTail } from './line-tail.ts';
import { livenessOf } from './process-identity.ts';
import type { RunHead } from './run-head.ts';

/** `running`: its gate lives. `closed`: ended in order. `interrupted`: its gate died. */
export type RunState = 'running' | 'closed' | 'interrupted';

export interface RunInfo {
  readonly run: RunId;
  readonly state: RunState;
  /** What heads.jsonl says of the run; absent when it says nothing. */
  readonly heads?: RunHeads;
  readonly dir: string;
  readonly ledger: string;
  readonly pack: string;
}

/** A run of another machine or container counts as running while its ledger changed within this time. */
const FOREIGN_SILENCE_MS = 24 * 60 * 60 * 1000;

/** All runs that have a folder, oldest first. */
export function listRuns(paths: GatePaths): RunInfo[] {
  const heads = createHeads(paths).read();
  return runFolders(paths.runs).map((run) => describe(paths, run, heads.get(run)));
}

/** Tells the states of runs that were not known as ended; quick for those that go on. */
export function runStates(paths: GatePaths): (run: RunId) => RunState {
  const heads = createHeads(paths);
  const unended = heads.unended();
  let all: ReadonlyMap<RunId, RunHeads> | undefined;
  return (run) => {
    const known = unended.get(run);
    if (known === undefined) all ??= heads.read();
    return describe(paths, run, known ?? all?.get(run)).state;
  };
}

/**
 * Finds a run by `last`, its whole id, or its last six characters (upper or lower case). Throws GateError
 * `no_such_run` (exit 1), or `ambiguous_run` (exit 2) when the characters fit more than one.
 */
export function findRun(paths: GatePaths, name: string): RunInfo {
  const folders = runFolders(paths.runs);
  const wanted = name.toUpperCase();
  const hits = name === 'last' ? folders.slice(-1) : folders.filter((run) => fits(run, wanted));
  const [run, ...more] = hits;
  if (run === undefined) {
    throw new GateError('no_such_run', `no run '${name}'`, { hint: 'gate runs', exitCode: EXIT.no });
  }
  if (more.length > 0) {
    throw new GateError('ambiguous_run', `'${name}' is the end of ${hits.length} runs: ${hits.join(', ')}`, {
      exitCode: EXIT.usage,
    });
  }
  return describe(paths, run, createHeads(paths).read().get(run));
}

/**
 * Marks the runs whose gate died as interrupted, with their files as they are found. Never waits for a run and
 * never fails because of one: what cannot be read now is left for the next gate.
 */
export function markInterrupted(paths: GatePaths): RunId[] {
  const marked: RunId[] = [];
  const known = createHeads(paths);
  const isDead = (heads: RunHeads): boolean => describe(paths, heads.run, heads).state === 'interrupted';
  if (![...known.unended().values()].some(isDead)) return marked;
  known.interrupted((all) =>
    [...all.values()].filter(isDead).flatMap((heads) => {
      const found = filesAsFound(paths, heads.run);
      if (found === undefined) return [];
      marked.push(heads.run);
      return [{ run: heads.run, ...found }];
    }),
  );
  return marked;
}

function fits(run: RunId, wanted: string): boolean {
  return run === wanted || shortRunId(run) === wanted;
}

/** The runs that have a folder, oldest first. Throws the system's error. */
export function runFolders(dir: string): RunId[] {
  try {
    return readdirSync(dir).filter(isRunId).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function describe(paths: GatePaths, run: RunId, heads: RunHeads | undefined): RunInfo {
  const files = runPaths(paths, run);
  const state = stateOf(heads, files.ledger);
  return { run, state, ...(heads === undefined ? {} : { heads }), ...files };
}

function stateOf(heads: RunHeads | undefined, ledger: string): RunState {
  if (heads?.ended !== undefined) return heads.ended.type;
  if (heads?.opened === undefined) return 'interrupted';
  const liveness = livenessOf(heads.opened.process);
  if (liveness !== 'unknown') return liveness === 'alive' ? 'running' : 'interrupted';
  return changedLately(ledger) ? 'running' : 'interrupted';
}

function changedLately(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < FOREIGN_SILENCE_MS;
}

/** What `interrupted` says of a run's files. */
interface FoundFiles extends RunHead {
  /** What stands after the last whole line of the ledger. */
  readonly torn?: { readonly bytes: number; readonly sha256: string };
}

/** How the files of a run stand: undefined without a ledger, and while they cannot be read. */
export function filesAsFound(paths: GatePaths, run: RunId): FoundFiles | undefined {
  const { ledger, pack } = runPaths(paths, run);
  if (!existsSync(ledger)) return undefined;
  try {
    const packBytes = statSync(pack, { throwIfNoEntry: false })?.size ?? 0;
    const { whole, tornBytes, head } = readLineTail(ledger);
    if (tornBytes === 0) return { ...whole, packBytes };
    return { ...whole, packBytes, torn: { bytes: tornBytes, sha256: head } };
  } catch {
    // Unreadable now (permissions, a failing disk): the start of another run must not depend on it.
    return undefined;
  }
}
