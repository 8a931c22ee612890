import { type RunId, shortRunId } from '../core/ids.ts';
import { table } from './table.ts';
import { localTime } from './time.ts';

/** The parts of a prune that are shown. */
export interface ShownPrune {
  readonly runs: readonly {
    readonly run: RunId;
    readonly state: string;
    readonly endedAt: string;
    readonly bytes: number;
  }[];
  readonly unfinished: readonly RunId[];
  readonly kept: { readonly runs: number; readonly bytes: number };
}

/** The runs that go, as a table; nothing where none does. */
export function pruneTable({ runs }: ShownPrune): string {
  if (runs.length === 0) return '';
  return table(
    ['RUN', 'ENDED', 'STATE', 'SIZE'],
    runs.map(({ run, endedAt, state, bytes }) => [shortRunId(run), localTime(endedAt), state, size(bytes)]),
  );
}

/** What happened, or would: `removed 3 runs (1.2 GB); 40 runs (4.9 GB) are left`. */
export function pruneSummary({ runs, unfinished, kept }: ShownPrune, isDryRun: boolean): string {
  const bytes = runs.reduce((sum, each) => sum + each.bytes, 0);
  const verb = isDryRun ? 'would remove' : 'removed';
  const before =
    unfinished.length === 0
      ? ''
      : ` and finish${isDryRun ? '' : 'ed'} an earlier prune of ${count(unfinished.length)}`;
  return `${verb} ${count(runs.length)} (${size(bytes)})${before}; ${count(kept.runs)} (${size(kept.bytes)}) left`;
}

function count(runs: number): string {
  return `${runs} run${runs === 1 ? '' : 's'}`;
}

/** In powers of 1024, as the option takes them. */
function size(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return bytes < 1024 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}
