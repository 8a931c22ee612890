import { lookup } from 'node:dns/promises';
import { messageOf } from '../core/errors.ts';
import type { Candidate, Target } from '../core/policy.ts';
import { isIpLiteral } from '../policy/host.ts';
import { type ResolveRule, resolveByRules } from '../policy/resolve-rule.ts';
import { UpstreamError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { Lookup } from './upstream-call.ts';

/** Finds the addresses of a target. */
export interface Resolver {
  lookup(target: Target): Promise<Lookup>;
  forget(target: Target): void;
}

/** Makes the resolver: `--resolve` rules, then the machine's own (getaddrinfo), whose answers are kept for a short while. */
export function createResolver(rules: readonly ResolveRule[], limits: Limits): Resolver {
  const known = new Map<string, { addresses: readonly string[]; until: number }>();

  const ask = async (host: string): Promise<Lookup & { addresses: readonly string[] }> => {
    const started = performance.now();
    const addresses = await withTimeout(systemLookup(host), limits.lookupMs, host);
    if (known.size > 10_000) known.clear();
    known.set(host, { addresses, until: Date.now() + limits.lookupTtlMs });
    return { addresses, candidates: [], dnsMs: performance.now() - started };
  };

  return {
    forget: (target) => {
      known.delete(target.host);
    },
    lookup: async (target) => {
      const pinned = resolveByRules(rules, target);
      if (pinned !== undefined) return { candidates: pinned };
      if (isIpLiteral(target.host)) return { candidates: candidatesOf([target.host], target.port) };
      const kept = known.get(target.host);
      if (kept !== undefined && kept.until > Date.now()) {
        return { candidates: candidatesOf(kept.addresses, target.port) };
      }
      const { addresses, dnsMs } = await ask(target.host);
      const candidates = candidatesOf(addresses, target.port);
      return dnsMs === undefined ? { candidates } : { candidates, dnsMs };
    },
  };
}

function candidatesOf(addresses: readonly string[], port: number): Candidate[] {
  return addresses.map((address) => ({ address, port, pinned: false }));
}

async function systemLookup(host: string): Promise<string[]> {
  try {
    const answers = await lookup(host, { all: true, verbatim: true });
    return answers.map((answer) => answer.address);
  } catch (error) {
    throw new UpstreamError('dns_failed', `${host} cannot be resolved: ${messageOf(error)}`, error);
  }
}

async function withTimeout<T>(work: Promise<T>, ms: number, host: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new UpstreamError('timeout', `${host} was not resolved within ${ms} ms`);
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
