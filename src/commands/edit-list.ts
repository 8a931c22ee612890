import { EXIT, GateError, messageOf } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import type { EditResult } from '../policy/edit.ts';
import type { ListName } from '../policy/pattern.ts';
import { command, type DefineCommand, refuseInJail, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { recordAction } from './record-action.ts';

interface EditFlags extends GlobalFlags {
  readonly remove?: boolean;
  readonly json?: boolean;
}

/** The words in which the three commands differ. */
interface ListWords {
  readonly name: 'allow' | 'deny' | 'passthrough';
  readonly title: string;
  readonly summary: string;
  readonly topic: string;
  readonly examples: readonly (readonly [string, string])[];
}

const define =
  (words: ListWords): DefineCommand =>
  ({ io, finish }) =>
    command(words.name, words.summary, words.examples)
      .argument('<pattern...>', `host patterns; see: gate help ${words.topic}`)
      .option('--remove', 'take the patterns off the list')
      .option('--json', 'print one JSON object')
      .action(async (patterns: string[], flags: EditFlags) => {
        refuseInJail(io, 'the lists');
        finish(await editList(words, patterns, flags, io));
      });

/** `gate allow`: edit the allowlist. */
export const defineAllow = define({
  name: 'allow',
  title: 'allowlist',
  summary: 'Put hosts on the allowlist: forwarded, recorded, not flagged',
  topic: 'allowlist',
  examples: [
    ['gate allow api.example.com', 'a host, on ports 443 and 80'],
    ['gate allow "*.example.com" localhost:11434', 'all names below it; a service of this machine'],
    ['gate allow --remove api.example.com', 'take it off again'],
  ],
});

/** `gate deny`: edit the denylist. */
export const defineDeny = define({
  name: 'deny',
  title: 'denylist',
  summary: 'Put hosts on the denylist: refused with an answer that the agent can read',
  topic: 'denylist',
  examples: [
    ['gate deny telemetry.example.com', 'a host, on every port'],
    ['gate deny "*.example.com" 203.0.113.0/24', 'all names below it; every name that leads into a range'],
    ['gate deny --remove telemetry.example.com', 'take it off again'],
  ],
});

/** `gate passthrough`: edit the passthrough list. */
export const definePassthrough = define({
  name: 'passthrough',
  title: 'passthrough list',
  summary: 'Put hosts on the passthrough list: tunnelled unread, bytes and times only',
  topic: 'passthrough',
  examples: [
    ['gate passthrough pinned.example.com', 'a client that accepts no other certificate'],
    ['gate passthrough github.com:22', 'a protocol that gate cannot read needs its port'],
    ['gate passthrough --remove pinned.example.com', 'take it off again'],
  ],
});

async function editList(
  words: ListWords,
  patterns: readonly string[],
  flags: EditFlags,
  io: Io,
): Promise<number> {
  const { addPatterns, removePatterns } = await import('../policy/edit.ts');
  const { listPath } = await import('../policy/lists.ts');
  const { samePatterns } = await import('../policy/report.ts');
  const paths = gatePaths(io.env);
  const file = listPath(paths, words.name);
  const existed = await isThere(file);
  const result = await writing(file, () => (flags.remove ? removePatterns : addPatterns)(file, patterns));
  await remember(paths, words.name, flags, result);
  const unchanged = patterns.filter((text) => !samePatterns(text, result.changed));
  const { conflicts, errors } = await consequences(paths, words.name, patterns);
  const [added, removed] = flags.remove ? [[], result.changed] : [result.changed, []];
  const { before, after } = result;
  if (flags.json) {
    const all = { list: words.name, file, added, removed, unchanged, before, after, conflicts, errors };
    io.stdout.write(`${JSON.stringify(all)}\n`);
  } else {
    io.stdout.write(result.changed.map((text) => `${flags.remove ? '-' : '+'} ${text}\n`).join(''));
  }
  for (const text of unchanged)
    say(io, flags, unchangedText(words, text, paths, flags, await configured(paths)));
  for (const { message } of conflicts) say(io, flags, `note: ${message}`);
  for (const error of errors) say(io, flags, `not in force until it is corrected: ${error}`);
  if (!existed && result.changed.length > 0) say(io, flags, madeText(words, file));
  return flags.remove && unchanged.length > 0 ? EXIT.no : EXIT.ok;
}

/** Conflicts that these patterns take part in, and bad lines: with one, a running gate keeps the list it had. */
async function consequences(paths: GatePaths, list: ListName, patterns: readonly string[]) {
  const { readLists, samePatterns } = await import('../policy/report.ts');
  const { lists, conflicts } = readLists(paths);
  return {
    errors: lists[list].errors,
    conflicts: conflicts.filter(
      (each) =>
        (each.list === list && samePatterns(each.pattern, patterns)) ||
        (each.by.list === list && samePatterns(each.by.pattern, patterns)),
    ),
  };
}

async function remember(
  paths: GatePaths,
  list: ListName,
  { remove }: EditFlags,
  { changed, before, after }: EditResult,
): Promise<void> {
  if (changed.length === 0) return;
  const [added, removed] = remove ? [[], changed] : [changed, []];
  const unrecorded = { message: 'the list was changed, but not recorded', hint: 'gate verify' };
  await recordAction(paths, 'list.edit', { list, added, removed, before, after }, unrecorded);
}

async function writing<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof GateError) throw error;
    throw new GateError('list_unwritable', `cannot change ${file}: ${messageOf(error)}`, {
      hint: 'gate doctor',
      cause: error,
    });
  }
}

async function isThere(file: string): Promise<boolean> {
  const { existsSync } = await import('node:fs');
  return existsSync(file);
}

/** Patterns that config adds to each list; none where it cannot be read, which is not this command's matter. */
async function configured(paths: GatePaths): Promise<Readonly<Record<ListName, readonly string[]>>> {
  const { readConfig } = await import('../policy/config.ts');
  try {
    return readConfig(paths.configFile).config.run;
  } catch {
    return { allow: [], deny: [], passthrough: [] };
  }
}

function unchangedText(
  { name, title }: ListWords,
  text: string,
  { configFile }: GatePaths,
  { remove }: EditFlags,
  inConfig: Readonly<Record<ListName, readonly string[]>>,
): string {
  if (!remove) return `'${text}' is on the ${title} already`;
  const elsewhere = inConfig[name].includes(text) ? ` (run.${name} in ${configFile} names it)` : '';
  return `'${text}' is not on the ${title}${elsewhere}`;
}

/** An allowlist takes the place of what gate knows of an agent's hosts, which a person must hear once. */
function madeText({ name, title }: ListWords, file: string): string {
  if (name !== 'allow') return `made ${file}`;
  return `made ${file}: from now on this ${title} alone says what is allowed; the hosts that gate knows of the agent are no longer added\n  gate lists suggest --run last`;
}
