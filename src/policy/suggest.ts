import type { Decision } from '../core/decision.ts';
import { classifyAddress } from './address.ts';
import { formatHostPort, isIpLiteral } from './host.ts';
import type { Matcher } from './match.ts';
import type { ListName } from './pattern.ts';

/** A request as far as a proposal depends on it. */
export interface Used {
  readonly type: 'request' | 'tunnel';
  readonly host: string;
  readonly port: number;
  readonly decision: Decision;
}

export interface Proposed {
  readonly pattern: string;
  readonly requests: number;
}

export interface Suggestion {
  /** What the allowlist lacks so that all that was forwarded would be on it, by name. */
  readonly patterns: readonly Proposed[];
  /** What was refused because it was on no list, and still is: for a person to judge. */
  readonly blocked: readonly Proposed[];
}

/** Gathers the requests of a run, and proposes the least that an allowlist must say to let the same through. */
export interface Suggester {
  add(used: Used): void;
  result(): Suggestion;
}

/**
 * Proposes exact hosts, never wildcards: what was not seen is not let in. Tunnels are left out, since what is on
 * the allowlist is read; so is what a list covers already, the denylist too.
 */
export function createSuggester(lists: Readonly<Record<ListName, Matcher>>): Suggester {
  const forwarded = new Map<string, number>();
  const blocked = new Map<string, number>();
  const covered = (host: string, port: number) =>
    Object.values(lists).some((list) => list.match(host, port) !== undefined);
  return {
    add({ type, host, port, decision }) {
      const refused = decision.verdict === 'deny' && decision.reason === 'not_allowlisted';
      if (type !== 'request' || (decision.verdict === 'deny' && !refused) || covered(host, port)) return;
      const counts = refused ? blocked : forwarded;
      const pattern = patternFor(host, port);
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
    },
    result: () => ({ patterns: sorted(forwarded), blocked: sorted(blocked) }),
  };
}

/** 443 and 80 go without saying, except for services of this machine, which only an entry with a port opens. */
function patternFor(host: string, port: number): string {
  const local = isLocal(host);
  if (!local && (port === 443 || port === 80)) return host.includes(':') ? `[${host}]` : host;
  return formatHostPort({ host, port });
}

function isLocal(host: string): boolean {
  if (isIpLiteral(host)) return classifyAddress(host) === 'loopback';
  return host === 'localhost' || host.endsWith('.localhost');
}

function sorted(counts: ReadonlyMap<string, number>): Proposed[] {
  return [...counts]
    .map(([pattern, requests]) => ({ pattern, requests }))
    .sort((a, b) => (a.pattern < b.pattern ? -1 : 1));
}
