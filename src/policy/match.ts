import { embeddedAddresses } from './address.ts';
import { network } from './cidr.ts';
import { isIpLiteral } from './host.ts';
import { type Ip, parseIp } from './ip.ts';
import type { ListName, Pattern } from './pattern.ts';

/** A list made ready for questions. Each answer is the first matching pattern in list order, or undefined. */
export interface Matcher {
  /** By the host that the client asked for, in canonical form. */
  match(host: string, port: number): Pattern | undefined;
  /** By an address alone: IP and CIDR patterns, also for IPv4 inside NAT64 and the like. For the denylist. */
  matchAddress(address: string, port: number): Pattern | undefined;
  /** An IP entry that names exactly this host, given as a literal. */
  exactIp(host: string, port: number): Pattern | undefined;
  /** An entry with a port that names exactly this service of the loopback. */
  exactLocal(host: string, port: number): Pattern | undefined;
}

interface Entry {
  readonly pattern: Pattern;
  readonly order: number;
}

interface Index {
  readonly names: Map<string, Entry[]>;
  /** `*.example.com` by `example.com`: asked once for each parent of a host, however long the list is. */
  readonly parents: Map<string, Entry[]>;
  readonly globs: { readonly segments: readonly string[]; readonly entry: Entry }[];
  readonly ips: Map<string, Entry[]>;
  /** By prefix length, then by network. */
  readonly ranges: { readonly 4: Map<number, RangeMap>; readonly 6: Map<number, RangeMap> };
}
type RangeMap = Map<bigint, Entry[]>;

const DEFAULT_PORTS: readonly number[] = [443, 80];

/**
 * Builds the index of a list. Time per question does not grow with the number of names, addresses and ranges;
 * other wildcards (`a*.example.com`) are tried one by one, each in time linear in the host's length.
 */
export function createMatcher(list: ListName, patterns: readonly Pattern[]): Matcher {
  const index = buildIndex(patterns);
  const first = (entries: readonly Entry[], port: number): Pattern | undefined => {
    const open = entries.filter(({ pattern }) => portMatches(list, pattern, port));
    return open.reduce<Entry | undefined>((a, b) => (a && a.order < b.order ? a : b), undefined)?.pattern;
  };
  const exactIp = (host: string, port: number) => first(index.ips.get(host) ?? [], port);
  const exactLocal = (host: string, port: number) => {
    const entries = [...localNames(index, host), ...sameService(index, host), ...(index.ips.get(host) ?? [])];
    return first(
      entries.filter(({ pattern }) => pattern.port !== undefined),
      port,
    );
  };
  const matchAddress = (address: string, port: number) => first(byAddress(index, address), port);
  return {
    exactIp,
    exactLocal,
    matchAddress,
    match: (host, port) => {
      const same = sameService(index, host);
      if (!isIpLiteral(host)) return first([...byName(index, host), ...same], port);
      if (list === 'deny') return first([...byAddress(index, host), ...same, ...bareStars(index)], port);
      const ip = parseIp(host);
      const written = ip === undefined ? [] : [...(index.ips.get(host) ?? []), ...inRanges(index, ip)];
      return first([...written, ...same], port);
    },
  };
}

/** The ports that a pattern stands for: its own, or every port (undefined) on the denylist, 443 and 80 elsewhere. */
export function portsOf(list: ListName, pattern: Pattern): readonly number[] | undefined {
  if (pattern.port !== undefined) return [pattern.port];
  return list === 'deny' ? undefined : DEFAULT_PORTS;
}

/** Whether a glob given by its pieces between the stars matches the whole text; linear, nothing is tried twice. */
export function globMatches(segments: readonly string[], text: string): boolean {
  const head = segments[0] ?? '';
  const tail = segments.at(-1) ?? '';
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  // The leftmost place for each piece leaves the most room for the rest, so no choice needs to be undone.
  for (const segment of segments.slice(1, -1)) {
    const found = text.indexOf(segment, at);
    if (found < 0 || found + segment.length > end) return false;
    at = found + segment.length;
  }
  return at <= end;
}

function portMatches(list: ListName, pattern: Pattern, port: number): boolean {
  return portsOf(list, pattern)?.includes(port) ?? true;
}

function buildIndex(patterns: readonly Pattern[]): Index {
  const index: Index = {
    names: new Map(),
    parents: new Map(),
    globs: [],
    ips: new Map(),
    ranges: { 4: new Map(), 6: new Map() },
  };
  for (const [order, pattern] of patterns.entries()) insert(index, { pattern, order });
  return index;
}

function insert(index: Index, entry: Entry): void {
  const { pattern } = entry;
  if (pattern.kind === 'range') {
    const { version, prefix, base } = pattern.range;
    const sameLength = index.ranges[version].get(prefix) ?? new Map<bigint, Entry[]>();
    index.ranges[version].set(prefix, sameLength);
    append(sameLength, base, entry);
  } else if (pattern.kind === 'ip') {
    append(index.ips, pattern.host, entry);
  } else if (pattern.kind === 'name') {
    append(index.names, pattern.host, entry);
  } else {
    const segments = pattern.host.split('*');
    const rest = segments[1] ?? '';
    const isParent = segments.length === 2 && segments[0] === '' && rest.startsWith('.');
    if (isParent) append(index.parents, rest.slice(1), entry);
    else index.globs.push({ segments, entry });
  }
}

function append<K>(map: Map<K, Entry[]>, key: K, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function byName(index: Index, host: string): Entry[] {
  const found = [...(index.names.get(host) ?? [])];
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    found.push(...(index.parents.get(host.slice(dot + 1)) ?? []));
  }
  for (const { segments, entry } of index.globs) {
    if (globMatches(segments, host)) found.push(entry);
  }
  return found;
}

function byAddress(index: Index, address: string): Entry[] {
  const found: Entry[] = [];
  for (const spelling of [address, ...embeddedAddresses(address)]) {
    const ip = parseIp(spelling);
    if (ip === undefined) continue;
    found.push(...(index.ips.get(spelling) ?? []), ...inRanges(index, ip));
  }
  return found;
}

function inRanges(index: Index, ip: Ip): Entry[] {
  const found: Entry[] = [];
  for (const [prefix, networks] of index.ranges[ip.version]) {
    found.push(...(networks.get(network(ip, prefix)) ?? []));
  }
  return found;
}

/** A bare `*` on the denylist is meant to stop everything, so there it stops addresses too. */
function bareStars(index: Index): Entry[] {
  const entries = index.globs.map(({ entry }) => entry);
  return entries.filter(({ pattern }) => pattern.kind === 'wildcard' && pattern.host === '*');
}

const THIS_MACHINE: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** One entry with a port means that service of this machine, by whichever of its three names a program calls it. */
function sameService(index: Index, host: string): Entry[] {
  if (!THIS_MACHINE.includes(host)) return [];
  const others = THIS_MACHINE.filter((name) => name !== host);
  const entries = others.flatMap((name) => [
    ...(index.names.get(name) ?? []),
    ...(index.ips.get(name) ?? []),
  ]);
  return entries.filter(({ pattern }) => pattern.port !== undefined);
}

function localNames(index: Index, host: string): Entry[] {
  const reserved = host === 'localhost' || host.endsWith('.localhost');
  return reserved ? (index.names.get(host) ?? []) : [];
}
