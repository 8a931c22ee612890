import type { Paint } from './color.ts';
import { printable } from './printable.ts';

type Status = 'ok' | 'warn' | 'fail' | 'skip';

/** The parts of a check's result that are shown. */
export interface ShownCheck {
  readonly id: string;
  readonly title: string;
  readonly status: Status;
  readonly detail: string;
  readonly problems: readonly {
    readonly message: string;
    readonly fix: string;
    readonly repair?: { readonly what: string };
  }[];
  readonly repaired: readonly string[];
}

/** One check as `gate doctor --json` prints it. Fields that say nothing are absent. */
export interface DoctorCheckJson {
  readonly id: string;
  readonly title: string;
  readonly status: Status;
  /** What was found, one finding a line. */
  readonly detail: string;
  /** What to type or do, one a line. */
  readonly fix?: string;
  readonly repaired?: readonly string[];
  /** With `--dry-run`. */
  readonly wouldRepair?: readonly string[];
}

export interface DoctorJson {
  readonly ok: boolean;
  readonly checks: readonly DoctorCheckJson[];
}

export interface DoctorView {
  /** With `--dry-run`: `repaired` is what would be. */
  readonly isDryRun: boolean;
  readonly ok: boolean;
}

/** The object of `gate doctor --json`. */
export function doctorJson(checks: readonly ShownCheck[], { ok, isDryRun }: DoctorView): DoctorJson {
  return { ok, checks: checks.map((check) => checkJson(check, isDryRun)) };
}

function checkJson(check: ShownCheck, isDryRun: boolean): DoctorCheckJson {
  const { id, title, status, problems, repaired } = check;
  const detail = problems.length === 0 ? check.detail : problems.map(({ message }) => message).join('\n');
  const fixes = [...new Set(problems.map(({ fix }) => fix))];
  return {
    id,
    title,
    status,
    detail,
    ...(fixes.length === 0 ? {} : { fix: fixes.join('\n') }),
    ...(repaired.length === 0 ? {} : { [isDryRun ? 'wouldRepair' : 'repaired']: repaired }),
  };
}

export interface DoctorStyle {
  readonly paint: Paint;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
}

const SIGNS: Readonly<Record<Status, readonly [unicode: string, ascii: string]>> = {
  ok: ['✓', 'ok  '],
  warn: ['!', 'warn'],
  fail: ['✗', 'FAIL'],
  skip: ['-', 'skip'],
};

/** The checks for people: one line each, what to do below it, and the sum last. */
export function doctorText(checks: readonly ShownCheck[], view: DoctorView, style: DoctorStyle): string {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const lines = checks.flatMap((check) => checkLines(check, width, view.isDryRun, style));
  return `${[...lines, ...sumLines(checks, view)].map((line) => `${line}\n`).join('')}`;
}

function checkLines(check: ShownCheck, width: number, isDryRun: boolean, style: DoctorStyle): string[] {
  const { paint, unicode } = style;
  const { status, problems } = check;
  const color = COLORS[status];
  const sign = color(paint, SIGNS[status][unicode ? 0 : 1]);
  const indent = ' '.repeat((unicode ? 1 : 4) + 1);
  const [first, ...more] = problems;
  const head = `${sign} ${check.title.padEnd(width)}  ${printable(first?.message ?? check.detail)}`;
  const fix = (text: string): string => `${indent}${' '.repeat(width)}  ${paint.bold(printable(text))}`;
  return [
    head,
    ...(first === undefined ? [] : [fix(first.fix)]),
    ...more.flatMap((problem) => [
      `${indent}${' '.repeat(width)}  ${printable(problem.message)}`,
      fix(problem.fix),
    ]),
    ...check.repaired.map(
      (what) => `${indent}${' '.repeat(width)}  ${isDryRun ? 'would' : 'repaired:'} ${printable(what)}`,
    ),
  ];
}

const COLORS: Readonly<Record<Status, (paint: Paint, text: string) => string>> = {
  ok: (_, text) => text,
  warn: (paint, text) => paint.yellow(text),
  fail: (paint, text) => paint.red(text),
  skip: (paint, text) => paint.dim(text),
};

function sumLines(checks: readonly ShownCheck[], { isDryRun }: DoctorView): string[] {
  const counts = (['fail', 'warn', 'skip'] as const).flatMap((status) => {
    const count = checks.filter((check) => check.status === status).length;
    return count === 0 ? [] : [`${count} ${WORDS[status]}`];
  });
  const sum = counts.length === 0 ? 'all is well' : counts.join(', ');
  const repairable = checks.some(({ problems }) => problems.some(({ repair }) => repair !== undefined));
  const hint = 'gate doctor --auto-repair repairs what it can, --dry-run tells what that would be';
  return [`${checks.length} checks: ${sum}`, ...(repairable && !isDryRun ? [hint] : [])];
}

const WORDS = { fail: 'failed', warn: 'with warnings', skip: 'skipped' } as const;

/** Whether a locale's text is UTF-8; the first variable that is set counts, as in setlocale(3). */
export function speaksUtf8(env: NodeJS.ProcessEnv): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}
