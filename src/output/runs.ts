import { type RunId, shortRunId } from '../core/ids.ts';
import type { RunEnd, RunStart } from '../core/record.ts';
import { fitted } from './fit.ts';
import { commandLine } from './printable.ts';
import { localTime, shortDuration } from './time.ts';

/** A run as `gate runs --json` prints it. Fields that are not known are absent. */
export interface ListedRun {
  readonly run: RunId;
  readonly state: string;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly mode?: string;
  readonly enforce?: boolean;
  readonly agent?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly startedAt?: string;
  readonly durationMs?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly counts?: Readonly<Record<string, number>>;
}

interface KnownRun {
  readonly run: RunId;
  readonly state: string;
  readonly ledger: string;
}

type Facts = { readonly start?: RunStart; readonly end?: RunEnd };

/** Joins what the folder, the heads and the ledger say of each run. A ledger that cannot be read says nothing. */
export function listedRuns(runs: readonly KnownRun[], read: (ledger: string) => Facts): ListedRun[] {
  return runs.map(({ run, state, ledger }) => {
    const { start, end } = readOrNothing(read, ledger);
    return { run, state, ...startFields(start), ...endFields(end) };
  });
}

function readOrNothing(read: (ledger: string) => Facts, ledger: string): Facts {
  try {
    return read(ledger);
  } catch {
    // A removed ledger is a matter for `gate verify`; the run itself stays listed.
    return {};
  }
}

function startFields(start: RunStart | undefined): Partial<ListedRun> {
  if (start === undefined) return {};
  const { argv, cwd, mode, enforce, agent, labels, at } = start;
  return {
    argv,
    cwd,
    mode,
    enforce,
    labels,
    startedAt: at,
    ...(agent === undefined ? {} : { agent: agent.name }),
  };
}

function endFields(end: RunEnd | undefined): Partial<ListedRun> {
  if (end === undefined) return {};
  const { durationMs, counts, exitCode, signal } = end;
  return {
    durationMs,
    counts,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
}

const COLUMNS = ['RUN', 'STARTED', 'TOOK', 'STATE', 'EXIT', 'EXCHANGES', 'BLOCKED', 'COMMAND'];

/** The runs for people; the command gives way where a terminal is `width` columns wide. */
export function runsTable(runs: readonly ListedRun[], width: number | undefined): string {
  if (runs.length === 0) return '';
  const rows = [COLUMNS, ...runs.map(cells)].map((row) => row.map((text) => ({ text })));
  return fitted(rows, { width, flexible: COLUMNS.length - 1 });
}

function cells(run: ListedRun): string[] {
  return [
    shortRunId(run.run),
    run.startedAt === undefined ? '-' : localTime(run.startedAt),
    run.durationMs === undefined ? '-' : shortDuration(run.durationMs),
    run.state,
    String(run.signal ?? run.exitCode ?? '-'),
    String(run.counts?.['exchanges'] ?? '-'),
    String(run.counts?.['blocked'] ?? '-'),
    commandLine(run.argv ?? []),
  ];
}
