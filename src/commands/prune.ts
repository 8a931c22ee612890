import { EXIT, GateError } from '../core/errors.ts';
import type { PruneRule } from '../store/prune.ts';
import { type Context, command, type DefineCommand, refuseInJail, say } from './command.ts';
import type { GlobalFlags } from './global.ts';

interface PruneFlags extends GlobalFlags {
  readonly olderThan?: string;
  readonly keepBytes?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `gate prune`: removes whole old runs. */
export const definePrune: DefineCommand = (context) =>
  command('prune', 'Remove whole old runs, and record that it happened', [
    ['gate prune --older-than 30d --dry-run', 'show what would go'],
    ['gate prune --older-than 30d', 'remove runs that ended more than 30 days ago'],
    ['gate prune --keep-bytes 5G', 'remove the oldest runs until 5 GB are left'],
  ])
    .option('--older-than <age>', 'runs that ended longer ago: a number with h, d or w (hours, days, weeks)')
    .option('--keep-bytes <size>', 'the oldest runs beyond this size: a number, or one with K, M, G or T')
    .option('--dry-run', 'show it, change nothing')
    .option('--json', 'print one JSON object')
    .action((flags: PruneFlags) => run(flags, context));

async function run(flags: PruneFlags, { io }: Context): Promise<void> {
  const rule = ruleOf(flags, Date.now());
  refuseInJail(io, 'the record of runs');
  const { gatePaths } = await import('../core/paths.ts');
  const { planPrune, prune } = await import('../store/prune.ts');
  const { pruneSummary, pruneTable } = await import('../output/prune.ts');
  const paths = gatePaths(io.env);
  const isDryRun = flags.dryRun === true;
  const plan = await (isDryRun ? planPrune : prune)(paths, rule);
  io.stdout.write(
    flags.json === true ? `${JSON.stringify({ dryRun: isDryRun, ...plan })}\n` : pruneTable(plan),
  );
  say(io, flags, pruneSummary(plan, isDryRun));
}

const HOUR_MS = 60 * 60 * 1000;
const AGES: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS };
const SIZES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** What goes, by the options. Throws GateError `usage`. */
export function ruleOf({ olderThan, keepBytes }: PruneFlags, nowMs: number): PruneRule {
  if (olderThan === undefined && keepBytes === undefined) {
    throw usage(
      'say which runs: --older-than AGE, --keep-bytes SIZE, or both',
      'gate prune --older-than 30d --dry-run',
    );
  }
  return {
    ...(olderThan === undefined ? {} : { before: new Date(nowMs - ageMs(olderThan)) }),
    ...(keepBytes === undefined ? {} : { keepBytes: bytes(keepBytes) }),
  };
}

function ageMs(text: string): number {
  const [, number, unit = ''] = /^(\d+)([hdw])$/.exec(text) ?? [];
  const ms = Number(number) * (AGES[unit] ?? Number.NaN);
  // Dates end there (ECMA-262, 21.4.1.1), and nothing recorded is as old.
  if (ms <= 1e14) return ms;
  throw usage(`--older-than '${text}': not an age`, 'gate prune --older-than 30d');
}

function bytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)i?B?$/i.exec(text) ?? [];
  const value = Math.floor(Number(number) * (SIZES[unit.toUpperCase()] ?? Number.NaN));
  if (Number.isSafeInteger(value)) return value;
  throw usage(`--keep-bytes '${text}': not a size`, 'gate prune --keep-bytes 5G');
}

function usage(message: string, hint: string): GateError {
  return new GateError('usage', message, { hint, exitCode: EXIT.usage });
}
