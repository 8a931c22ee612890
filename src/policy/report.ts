import type { GatePaths } from '../core/paths.ts';
import { type Conflict, findConflicts } from './conflicts.ts';
import { type ListFile, listPath, readList } from './lists.ts';
import { type ListName, type Pattern, parsePattern } from './pattern.ts';

/** The three list files as they stand, and where they contradict each other. */
export interface ListsReport {
  readonly lists: Readonly<Record<ListName, ListFile>>;
  readonly conflicts: readonly Conflict[];
}

/** Reads the list files. Bad lines are in each list's `errors`. Throws GateError `list_unreadable`. */
export function readLists(paths: Pick<GatePaths, 'allowlist' | 'denylist' | 'passthrough'>): ListsReport {
  const read = (name: ListName) => readList(name, listPath(paths, name));
  const lists = { deny: read('deny'), allow: read('allow'), passthrough: read('passthrough') };
  const { deny, allow, passthrough } = patternsOf(lists);
  return { lists, conflicts: findConflicts({ deny, allow, passthrough }) };
}

/** The patterns of each list, in list order. */
export function patternsOf(lists: ListsReport['lists']): Readonly<Record<ListName, readonly Pattern[]>> {
  const of = (name: ListName) => lists[name].lines.map(({ pattern }) => pattern);
  return { deny: of('deny'), allow: of('allow'), passthrough: of('passthrough') };
}

/** Whether one of the texts means the same pattern, in whatever spelling. */
export function samePatterns(text: string, texts: readonly string[]): boolean {
  const key = keyOf(text);
  return texts.some((each) => keyOf(each) === key);
}

function keyOf(text: string): string {
  const result = parsePattern(text);
  return 'pattern' in result ? result.pattern.key : text;
}
