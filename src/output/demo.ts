import { type RunId, shortExchangeId } from '../core/ids.ts';
import { type Paint, paint } from './color.ts';
import { commandLine, printable } from './printable.ts';
import { shortDuration } from './time.ts';

/** What `gate demo --json` prints. */
export interface ShownDemo {
  readonly ok: boolean;
  readonly run: RunId;
  readonly checks: readonly {
    readonly title: string;
    readonly ok: boolean;
    readonly expected: string;
    readonly seen: string;
    readonly id?: string;
  }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
  readonly home?: string;
}

/** A demo for people: two lines for each thing that the agent did, within 80 columns where all is well. */
export function demoText(demo: ShownDemo, colors: Paint = paint(false)): string {
  const lines = demo.checks.flatMap(({ title, ok, expected, seen, id }) => {
    const mark = ok ? 'ok  ' : colors.red('BAD ');
    const where = id === undefined ? '' : shortExchangeId(id);
    const told = printable(seen);
    return [
      `${mark}${colors.bold(title.padEnd(LABEL))}${colors.dim('expected')}  ${expected}`,
      `    ${colors.dim(where.padEnd(LABEL))}${colors.dim('seen')}      ${ok ? told : colors.red(told)}`,
    ];
  });
  return `${[...lines, '', summary(demo), next(demo)].join('\n')}\n`;
}

const LABEL = 17;

function summary({ checks, counts, durationMs }: ShownDemo): string {
  const good = checks.filter(({ ok }) => ok).length;
  const parts = [
    `${counts['exchanges'] ?? 0} exchanges`,
    `${counts['blocked'] ?? 0} blocked`,
    `${counts['refused'] ?? 0} refused`,
    `${counts['highFlags'] ?? 0} high flags`,
  ];
  return `${good} of ${checks.length} as expected in ${shortDuration(durationMs)}: ${parts.join(', ')}`;
}

function next({ home, checks }: ShownDemo): string {
  if (home === undefined) return 'gate demo --keep leaves the record, to look at it yourself';
  const id = checks.flatMap((check) => check.id ?? [])[0];
  const show = id === undefined ? '' : `; gate show ${shortExchangeId(id)}`;
  return `kept: export GATE_HOME=${commandLine([home])}; gate events${show}; gate verify`;
}
