import { covers } from './cidr.ts';
import { parseIp } from './ip.ts';
import { globMatches, portsOf } from './match.ts';
import type { ListName, Pattern } from './pattern.ts';

/** A pattern that has less effect than its reader would think, because another list is asked first. */
export interface Conflict {
  readonly list: ListName;
  readonly pattern: string;
  /** The stronger list and its pattern. */
  readonly by: { readonly list: ListName; readonly pattern: string };
  /** `all`: the pattern has no effect; `part`: not on every port. */
  readonly extent: 'all' | 'part';
  /** One sentence for the person. */
  readonly message: string;
}

type Lists = Readonly<Record<ListName, readonly Pattern[]>>;

/** Finds patterns that the denylist makes useless, and allowed hosts that passthrough leaves unread. */
export function findConflicts(lists: Lists): Conflict[] {
  return [
    ...between(lists, 'allow', 'deny', 'the denylist wins'),
    ...between(lists, 'passthrough', 'deny', 'the denylist wins'),
    ...between(lists, 'allow', 'passthrough', 'it passes through unread'),
  ];
}

function between(lists: Lists, weak: ListName, strong: ListName, effect: string): Conflict[] {
  return lists[weak].flatMap((pattern) => {
    const found = lists[strong].flatMap((by) => {
      const extent = coversHosts(by, pattern) ? portOverlap(strong, by, weak, pattern) : undefined;
      return extent === undefined ? [] : [{ by, extent }];
    });
    const { by, extent } = found.find((hit) => hit.extent === 'all') ?? found[0] ?? {};
    if (by === undefined || extent === undefined) return [];
    const which = extent === 'all' ? '' : ` on port ${by.port}`;
    const message = `'${pattern.text}' (${weak}) is covered by '${by.text}' (${strong})${which}: ${effect}`;
    return [{ list: weak, pattern: pattern.text, by: { list: strong, pattern: by.text }, extent, message }];
  });
}

function portOverlap(
  strong: ListName,
  by: Pattern,
  weak: ListName,
  pattern: Pattern,
): 'all' | 'part' | undefined {
  const taken = portsOf(strong, by);
  if (taken === undefined) return 'all';
  const wanted = portsOf(weak, pattern) ?? [];
  const lost = wanted.filter((port) => taken.includes(port));
  if (lost.length === 0) return undefined;
  return lost.length === wanted.length ? 'all' : 'part';
}

/** Whether every host of `inner` is one of `outer`. A `*` of the inner text can only be taken up by one of the outer. */
function coversHosts(outer: Pattern, inner: Pattern): boolean {
  if (inner.kind === 'range') return outer.kind === 'range' && covers(outer.range, inner.range);
  if (outer.kind === 'range') {
    const ip = inner.kind === 'ip' ? parseIp(inner.host) : undefined;
    return (
      ip !== undefined &&
      covers(outer.range, { version: ip.version, base: ip.value, prefix: ip.version === 4 ? 32 : 128 })
    );
  }
  if (outer.kind !== 'wildcard') return outer.host === inner.host;
  return inner.kind !== 'ip' && globMatches(outer.host.split('*'), inner.host);
}
