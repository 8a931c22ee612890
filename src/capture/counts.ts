import type { Flag } from '../core/analysis.ts';
import type { Decision } from '../core/decision.ts';

/** What a run has recorded so far; goes into `run.end` and into the summary line. A type, to serve as a record. */
export type Counts = {
  exchanges: number;
  /** Distinct hosts of exchanges and tunnels. */
  hosts: number;
  /** Exchanges and tunnels that the policy denied. */
  blocked: number;
  tunnels: number;
  /** Connections from this machine to servers in the jail. */
  published: number;
  /** WebSocket messages. */
  messages: number;
  /** Attempts that ended before there was a request. */
  refused: number;
  /** Names asked for. */
  dns: number;
  /** Exchanges that did not end `complete` or `denied`. */
  failed: number;
  /** Distinct (host, code) of flags, and of those with severity high. */
  flags: number;
  highFlags: number;
  /** Analyses that did not come to an end: the worker died on them, or the run was over. */
  unanalysed: number;
};

/** Counts as the recorder goes along. */
export interface Counter {
  /** Adds one, or `by`. */
  add(what: Exclude<keyof Counts, 'hosts' | 'flags' | 'highFlags'>, by?: number): void;
  host(host: string): void;
  decision(decision: Decision): void;
  flag(host: string, flag: Flag): void;
  read(): Counts;
}

/** Hosts that are told apart; a flood of names beyond it is counted once each, repeated or not. */
const MAX_HOSTS = 1 << 16;

/** Makes a counter at zero. */
export function createCounter(): Counter {
  const hosts = new Set<string>();
  let furtherHosts = 0;
  const counts = {
    exchanges: 0,
    blocked: 0,
    tunnels: 0,
    published: 0,
    messages: 0,
    refused: 0,
    dns: 0,
    failed: 0,
    unanalysed: 0,
  };
  const flags = new Set<string>();
  const highFlags = new Set<string>();
  return {
    add(what, by = 1) {
      counts[what] += by;
    },
    host(host) {
      if (hosts.size < MAX_HOSTS) hosts.add(host);
      else if (!hosts.has(host)) furtherHosts += 1;
    },
    decision(decision) {
      if (decision.verdict === 'deny') counts.blocked += 1;
    },
    flag(host, { code, severity }) {
      const set = severity === 'high' ? highFlags : undefined;
      for (const each of [flags, set]) {
        if (each !== undefined && each.size < MAX_HOSTS) each.add(`${host} ${code}`);
      }
    },
    read: () => ({
      ...counts,
      hosts: hosts.size + furtherHosts,
      flags: flags.size,
      highFlags: highFlags.size,
    }),
  };
}
