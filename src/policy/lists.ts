import { createHash } from 'node:crypto';
import { GateError, messageOf } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';
import { createMatcher, type Matcher } from './match.ts';
import { LIST_NAMES, type ListLine, type ListName, type Pattern, parseList } from './pattern.ts';
import { readRegular } from './read-regular.ts';
import { stampFile, watchFiles } from './watch.ts';

/** One list as it was read. */
export interface ListFile {
  readonly name: ListName;
  readonly file: string;
  /** Of the bytes of the file; of no bytes where there is no file. Hex. */
  readonly sha256: string;
  readonly lines: readonly ListLine[];
  /** `file:line: reason` for each bad line. */
  readonly errors: readonly string[];
}

/** What happened when a list changed during a run. With errors the list before stays in force. */
export interface ListReloadFacts {
  readonly list: ListName;
  readonly sha256: string;
  readonly errors: readonly string[];
}

export interface ListsOptions {
  readonly paths: Pick<GatePaths, 'allowlist' | 'denylist' | 'passthrough'>;
  /** Patterns of this run only: command line, config, the agent's profile. They come after the file's. */
  readonly extra?: Partial<Record<ListName, readonly Pattern[]>>;
  readonly onReload?: (facts: ListReloadFacts) => void;
  readonly pollMs?: number;
}

/** The lists of a run: those in force, kept up to date between `start` and `stop`. */
export interface Lists {
  matchers(): Readonly<Record<ListName, Matcher>>;
  /** File patterns and those of this run, in list order. */
  patterns(): Readonly<Record<ListName, readonly Pattern[]>>;
  /** The hash of each list in force. */
  hashes(): Readonly<Record<ListName, string>>;
  /** Bad lines of lists whose last good version is in force. */
  errors(): readonly string[];
  start(): void;
  stop(): void;
}

/** The path of a list. */
export function listPath(paths: ListsOptions['paths'], list: ListName): string {
  return list === 'allow' ? paths.allowlist : list === 'deny' ? paths.denylist : paths.passthrough;
}

/**
 * Reads a list; an absent file is an empty list, and bad lines are in `errors`. Throws GateError `list_unreadable`
 * where there is something that cannot be read as a file.
 */
export function readList(name: ListName, file: string): ListFile {
  const bytes = readOrEmpty(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, file, sha256, ...parseList(bytes.toString('utf8'), file) };
}

/**
 * Reads the three lists of a run. Throws GateError `bad_list` that names every bad line, as nothing may be
 * decided by half a list.
 */
export function createLists(options: ListsOptions): Lists {
  const paths = new Map(LIST_NAMES.map((name) => [name, listPath(options.paths, name)]));
  // Taken before reading, so that a change in between is seen as one.
  const stamps = new Map([...paths.values()].map((file) => [file, stampFile(file)]));
  const loaded = byList((name) => load(readList(name, listPath(options.paths, name)), options.extra?.[name]));
  const bad = LIST_NAMES.flatMap((name) => loaded[name].latest.errors);
  if (bad.length > 0) {
    throw new GateError('bad_list', bad.join('\n'), { hint: 'correct the lines, then run it again' });
  }
  let watching: { stop(): void } | undefined;
  const onChange = (file: string) => {
    for (const name of LIST_NAMES) {
      if (paths.get(name) !== file) continue;
      const facts = reload(loaded, name, file, options.extra?.[name]);
      if (facts !== undefined) options.onReload?.(facts);
    }
  };
  return {
    matchers: () => byList((name) => loaded[name].matcher),
    patterns: () => byList((name) => loaded[name].patterns),
    hashes: () => byList((name) => loaded[name].sha256),
    errors: () => LIST_NAMES.flatMap((name) => loaded[name].latest.errors),
    start: () => {
      const timing = options.pollMs === undefined ? {} : { pollMs: options.pollMs };
      watching ??= watchFiles({ files: [...new Set(paths.values())], stamps, onChange, ...timing });
    },
    stop: () => watching?.stop(),
  };
}

interface Loaded {
  readonly matcher: Matcher;
  readonly patterns: readonly Pattern[];
  readonly sha256: string;
  /** As last read, good or bad. */
  readonly latest: Pick<ListFile, 'sha256' | 'errors'>;
}

function load(list: ListFile, extra: readonly Pattern[] = []): Loaded {
  const patterns = [...list.lines.map(({ pattern }) => pattern), ...extra];
  return { matcher: createMatcher(list.name, patterns), patterns, sha256: list.sha256, latest: list };
}

/** Reads a changed list again; undefined where its bytes are the same. A bad one leaves the last good in force. */
function reload(
  loaded: Record<ListName, Loaded>,
  name: ListName,
  file: string,
  extra: readonly Pattern[] | undefined,
): ListReloadFacts | undefined {
  const before = loaded[name];
  const list = readOrExplain(name, file, before);
  const { sha256, errors } = list;
  if (sha256 === before.latest.sha256 && errors.join() === before.latest.errors.join()) return undefined;
  loaded[name] = errors.length > 0 ? { ...before, latest: { sha256, errors } } : load(list, extra);
  return { list: name, sha256, errors };
}

function readOrExplain(name: ListName, file: string, before: Loaded): ListFile {
  try {
    return readList(name, file);
  } catch (error) {
    return { name, file, sha256: before.latest.sha256, lines: [], errors: [messageOf(error)] };
  }
}

function readOrEmpty(file: string): Buffer {
  try {
    return readRegular(file) ?? Buffer.alloc(0);
  } catch (error) {
    throw new GateError('list_unreadable', `${file}: ${messageOf(error)}`, {
      hint: 'gate doctor',
      cause: error,
    });
  }
}

function byList<T>(make: (name: ListName) => T): Record<ListName, T> {
  return { allow: make('allow'), deny: make('deny'), passthrough: make('passthrough') };
}
