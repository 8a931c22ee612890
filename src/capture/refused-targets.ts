import type { RefusedFacts } from '../core/exchange.ts';

/** Where a run was refused, for a reason that a list entry can change. */
export interface RefusedTarget {
  /** A name, or an address where the client asked for one. */
  readonly host: string;
  readonly port: number;
  readonly reason: string;
  readonly count: number;
}

/** Remembers what was refused by target, so that the summary can say what would have helped. */
export interface RefusedTargets {
  add(fact: RefusedFacts, count: number): void;
  /** Most frequent first; equally frequent ones by the order of `CURABLE`, then as they came. */
  read(): RefusedTarget[];
}

/** What a passthrough entry cures: a port nobody listens on, what cannot be read, and a client that pins its certificates. */
const CURABLE: readonly string[] = ['port_not_captured', 'unreadable_protocol', 'certificate_rejected'];
/** A port scan must not fill the memory; the targets that a person meant come long before that. */
const MAX_TARGETS = 1024;

/** Makes an empty memory of refused targets. */
export function createRefusedTargets(): RefusedTargets {
  const targets = new Map<string, RefusedTarget>();
  return {
    add({ proto, host, address, port, reason }, count) {
      const where = host ?? address;
      if (proto === 'udp' || where === undefined || port === undefined || !CURABLE.includes(reason)) return;
      const key = `${where} ${port} ${reason}`;
      const known = targets.get(key);
      if (known === undefined && targets.size >= MAX_TARGETS) return;
      targets.set(key, { host: where, port, reason, count: (known?.count ?? 0) + count });
    },
    // By reason, too: jail and proxy report each in their own time, so the order they come in says nothing.
    read: () => [...targets.values()].sort((a, b) => b.count - a.count || rank(a) - rank(b)),
  };
}

function rank({ reason }: RefusedTarget): number {
  return CURABLE.indexOf(reason);
}
