import { type Paint, paint } from './color.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { localTime } from './time.ts';

type ListKey = 'deny' | 'allow' | 'passthrough';

/** One line of a list, with how often it decided in the recorded runs. */
export interface ListedPattern {
  readonly line: number;
  readonly pattern: string;
  readonly hits: number;
  readonly lastHit?: string;
}

/** What `gate lists --json` prints. */
export interface ListedLists {
  readonly lists: Readonly<
    Record<
      ListKey,
      {
        readonly file: string;
        readonly sha256: string;
        readonly patterns: readonly ListedPattern[];
        readonly errors: readonly string[];
      }
    >
  >;
  readonly conflicts: readonly { readonly message: string }[];
  /** Decided in a recorded run and on no list now: options, config, an agent's profile, or removed since. */
  readonly others: readonly {
    readonly list: ListKey;
    readonly pattern: string;
    readonly hits: number;
    readonly lastHit?: string;
  }[];
  /** Runs whose ledgers were counted. */
  readonly runs: number;
}

const TITLES: readonly (readonly [ListKey, string])[] = [
  ['deny', 'denylist'],
  ['allow', 'allowlist'],
  ['passthrough', 'passthrough list'],
];

/** The lists for people, in the order in which a decision asks them. */
export function listsText({ lists, conflicts, others }: ListedLists, colors: Paint = paint(false)): string {
  const sections = TITLES.map(([key, title]) => {
    const { file, patterns, errors } = lists[key];
    const body = patterns.length === 0 ? '  (empty)\n' : patternTable(patterns);
    const bad = errors.map((error) => `  ${colors.red(`bad line: ${printable(error)}`)}\n`).join('');
    return `${colors.bold(title)}  ${colors.dim(printable(file))}\n${body}${bad}`;
  });
  if (conflicts.length > 0) {
    const rows = conflicts.map(({ message }) => `  ${colors.yellow(printable(message))}\n`);
    sections.push(`${colors.bold('conflicts')}\n${rows.join('')}`);
  }
  if (others.length > 0) {
    const title = 'decided in a recorded run, on no list now (options, config, profile, or removed)';
    const rows = others.map(({ list, pattern, hits, lastHit }) => [
      list,
      printable(pattern),
      String(hits),
      time(lastHit),
    ]);
    sections.push(`${colors.bold(title)}\n${indented(table(['LIST', 'PATTERN', 'HITS', 'LAST'], rows))}`);
  }
  return sections.join('\n');
}

function patternTable(patterns: readonly ListedPattern[]): string {
  const rows = patterns.map(({ line, pattern, hits, lastHit }) => [
    String(line),
    printable(pattern),
    String(hits),
    time(lastHit),
  ]);
  return indented(table(['LINE', 'PATTERN', 'HITS', 'LAST'], rows));
}

function time(at: string | undefined): string {
  return at === undefined || at === '' ? '-' : localTime(at);
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
