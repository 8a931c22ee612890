import { type RunId, shortRunId } from '../core/ids.ts';
import { printable } from './printable.ts';

interface FindingText {
  readonly level: 'error' | 'warning' | 'note';
  readonly kind: string;
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** The parts of a verdict that are shown. */
export interface ShownVerdict {
  readonly ok: boolean;
  readonly runs: readonly {
    readonly run: RunId;
    readonly ok: boolean;
    readonly records: number;
    readonly bodies: number;
    readonly head: string;
    readonly findings: readonly FindingText[];
  }[];
  readonly findings: readonly FindingText[];
}

/** How far a check has come, on one line of a terminal. */
export function progressLine(at: { run: RunId; number: number; of: number; records: number }): string {
  return `verifying ${shortRunId(at.run)} (run ${at.number} of ${at.of}, ${at.records} records)`;
}

/** A verdict for people: one line a run, its findings below it, and the answer last. */
export function verdictText(verdict: ShownVerdict): string {
  const lines = verdict.runs.flatMap((run) => [
    `${run.ok ? 'ok  ' : 'BAD '} ${shortRunId(run.run)}  ${run.records} records, ${run.bodies} bodies, head ${run.head}`,
    ...run.findings.map(findingLine),
  ]);
  const bad = verdict.runs.filter((run) => !run.ok).length;
  const shared = verdict.findings.filter(({ level }) => level === 'error').length;
  const where = [
    ...(bad > 0 ? [`${bad} of ${verdict.runs.length} runs`] : []),
    ...(shared > 0 ? [`${shared} in what runs share`] : []),
  ].join(', ');
  const answer = verdict.ok
    ? `${verdict.runs.length} run${verdict.runs.length === 1 ? '' : 's'} verified`
    : `the record was changed or is incomplete (${where})`;
  return `${[...lines, ...verdict.findings.map(findingLine), answer].join('\n')}\n`;
}

function findingLine({ level, kind, file, line, message }: FindingText): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return `     ${level} ${kind} (${where}): ${printable(message)}`;
}
