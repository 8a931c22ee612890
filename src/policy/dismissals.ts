import { createHash } from 'node:crypto';
import { type Dismissal, Dismissals } from '../core/dismissals.ts';
import { EXIT, GateError, messageOf } from '../core/errors.ts';
import { editFile } from './edit.ts';
import { canonicalHost } from './host.ts';
import { locateJson } from './json-lines.ts';
import { readRegular } from './read-regular.ts';

/** The dismissals in force, and the hash of the file that they came from (hex; of no bytes where there is none). */
export interface LoadedDismissals {
  readonly dismissals: readonly Dismissal[];
  readonly sha256: string;
}

/** What a dismissal is about. */
export type DismissalTarget = Pick<Dismissal, 'exchange' | 'host' | 'code'>;

/**
 * Reads `dismissals.json`; a missing file has none. Throws GateError `bad_dismissals` with one `file:line: reason`
 * a line, or `dismissals_unreadable`.
 */
export function readDismissals(file: string): LoadedDismissals {
  const bytes = readOrEmpty(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { dismissals: parseDismissals(bytes.toString('utf8'), file).dismissals, sha256 };
}

function readOrEmpty(file: string): Buffer {
  try {
    return readRegular(file) ?? Buffer.alloc(0);
  } catch (error) {
    throw new GateError('dismissals_unreadable', `${file}: ${messageOf(error)}`, {
      hint: 'gate doctor',
      cause: error,
    });
  }
}

/** Adds a dismissal, in place of one that is about the same. Throws as `readDismissals` and `addPatterns` do. */
export async function addDismissal(file: string, dismissal: Dismissal): Promise<void> {
  await change(file, ({ dismissals }) => {
    const others = dismissals.filter((each) => !isSame(each, dismissal));
    return { dismissals: [...others, dismissal], changed: [keyOf(dismissal)] };
  });
}

/**
 * Removes the dismissals that are about the same, and without a code all of an exchange; gives those that were there.
 * Throws as `addDismissal` does.
 */
export async function removeDismissal(file: string, target: DismissalTarget): Promise<readonly Dismissal[]> {
  let removed: readonly Dismissal[] = [];
  await change(file, ({ dismissals }) => {
    removed = dismissals.filter((each) => covers(target, each));
    return { dismissals: dismissals.filter((each) => !removed.includes(each)), changed: removed.map(keyOf) };
  });
  return removed;
}

/** Checks the text of a `dismissals.json`; an empty one has none. `file` is only used in error texts. */
export function parseDismissals(text: string, file: string): Dismissals {
  if (text.trim() === '') return { version: 1, dismissals: [] };
  const read = locateJson(text.replace(/^\ufeff/, ''));
  if ('problem' in read) throw bad([`${file}:${read.line}: not JSON: ${read.problem}`]);
  const result = Dismissals.safeParse(read.value);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => {
      const reason = message.replace(/^Invalid \w+: /, '');
      return `${file}:${read.lineOf(path)}: ${path.length === 0 ? '' : `${path.join('.')}: `}${reason}`;
    });
    throw bad(lines);
  }
  const { dismissals } = result.data;
  const wrong = dismissals.flatMap(({ host }, i) =>
    host === undefined || canonicalHost(host) === host
      ? []
      : [`${file}:${read.lineOf(['dismissals', i, 'host'])}: '${host}' is not a host as gate writes it`],
  );
  if (wrong.length > 0) throw bad(wrong);
  return result.data;
}

type Change = (now: Dismissals) => {
  readonly dismissals: readonly Dismissal[];
  readonly changed: readonly string[];
};

async function change(file: string, make: Change): Promise<void> {
  await editFile(file, (content) => {
    const now = parseDismissals(Buffer.from(content, 'latin1').toString('utf8'), file);
    const { dismissals, changed } = make(now);
    const text = `${JSON.stringify({ version: 1, dismissals }, null, 2)}\n`;
    return { content: Buffer.from(text).toString('latin1'), changed };
  });
}

function isSame(a: DismissalTarget, b: DismissalTarget): boolean {
  return keyOf(a) === keyOf(b);
}

function covers(target: DismissalTarget, each: Dismissal): boolean {
  const isWhole = target.exchange !== undefined && target.code === undefined;
  return isWhole ? each.exchange === target.exchange : isSame(each, target);
}

function keyOf({ exchange, host, code }: DismissalTarget): string {
  return [exchange ?? host, code ?? '*'].join(' ');
}

function bad(lines: readonly string[]): GateError {
  return new GateError('bad_dismissals', lines.join('\n'), {
    hint: 'correct the file, then run it again',
    exitCode: EXIT.internal,
  });
}
