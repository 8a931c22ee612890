import { messageOf } from '../core/errors.ts';
import { type Check, type CheckContext, fail, type Outcome, type Problem, problemOf } from './check.ts';

/** What becomes of what could be repaired: left alone, told, or done. */
export type RepairMode = 'no' | 'tell' | 'do';

/** What one check came to, after repairs. */
export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** Of a check that is ok what was seen, of a skipped one the reason. */
  readonly detail: string;
  readonly problems: readonly Problem[];
  /** What was repaired, or with `tell` would be. */
  readonly repaired: readonly string[];
  /** It did not end within its time, and may still be at work. */
  readonly hung: boolean;
}

/** A check that takes longer hangs. */
const LIMIT_MS = 5000;

/** Runs the checks in order. Never rejects: a check that throws or hangs is a failed one. */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  mode: RepairMode,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const reason = skipReason(check, context, results);
    results.push(
      reason === undefined
        ? await runCheck(check, context, mode)
        : resultOf(check, { outcome: { skipped: reason }, hung: false }),
    );
  }
  return results;
}

/** Why a check can say nothing here; undefined where it can. */
function skipReason(check: Check, context: CheckContext, before: readonly CheckResult[]): string | undefined {
  if (check.outsideOnly && context.inside !== undefined) return `inside gate run ${context.inside}`;
  if (check.linuxOnly && process.platform !== 'linux') return `nothing to check on ${process.platform}`;
  const broken = before.filter(({ id, status }) => check.needs?.includes(id) && isNoBase(status));
  if (broken.length === 0) return undefined;
  return `needs what failed above: ${broken.map(({ title }) => title).join(', ')}`;
}

function isNoBase(status: CheckResult['status']): boolean {
  return status === 'fail' || status === 'skip';
}

interface Attempt {
  readonly outcome: Outcome;
  readonly hung: boolean;
}

async function runCheck(check: Check, context: CheckContext, mode: RepairMode): Promise<CheckResult> {
  const first = await attempt(check, context);
  const repairs = problemsOf(first.outcome).flatMap(({ repair }) => repair ?? []);
  if (repairs.length === 0 || mode === 'no') return resultOf(check, first);
  if (mode === 'tell')
    return resultOf(
      check,
      first,
      repairs.map(({ what }) => what),
    );
  const done: string[] = [];
  const failures: Problem[] = [];
  for (const repair of repairs) {
    try {
      await repair.run();
      done.push(repair.what);
    } catch (error) {
      failures.push(fail(`could not ${repair.what}: ${messageOf(error)}`, problemOf(error).fix));
    }
  }
  return resultOf(check, withProblems(await attempt(check, context), failures), done);
}

function problemsOf(outcome: Outcome): readonly Problem[] {
  return 'skipped' in outcome ? [] : outcome.problems;
}

function withProblems({ outcome, hung }: Attempt, more: readonly Problem[]): Attempt {
  if ('skipped' in outcome) return { outcome, hung };
  return { outcome: { ...outcome, problems: [...outcome.problems, ...more] }, hung };
}

async function attempt(check: Check, context: CheckContext): Promise<Attempt> {
  const limitMs = check.limitMs ?? LIMIT_MS;
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  const work = (async () => check.run(context, abort.signal))().catch(
    (error: unknown): Outcome => ({ detail: '', problems: [problemOf(error)] }),
  );
  const outcome = await Promise.race([work, late]);
  clearTimeout(timer);
  if (outcome !== 'late') return { outcome, hung: false };
  abort.abort();
  const message = `no answer within ${limitMs / 1000} s`;
  const fix =
    'try again on a quieter machine; if it stays, report it with the output of `gate doctor --json`';
  return { outcome: { detail: '', problems: [fail(message, fix)] }, hung: true };
}

function resultOf(
  { id, title }: Check,
  { outcome, hung }: Attempt,
  repaired: readonly string[] = [],
): CheckResult {
  const common = { id, title, repaired, hung };
  if ('skipped' in outcome) return { ...common, status: 'skip', detail: outcome.skipped, problems: [] };
  const { detail, problems } = outcome;
  const isFailed = problems.some(({ level }) => level === 'fail');
  const status = isFailed ? 'fail' : problems.length > 0 ? 'warn' : 'ok';
  return { ...common, status, detail, problems };
}
