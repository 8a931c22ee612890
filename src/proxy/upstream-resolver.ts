import { lookup as systemResolve } from 'node:dns/promises';
import { messageOf } from '../core/errors.ts';
import type { Candidate, Target } from '../core/policy.ts';
import { isIpLiteral } from '../policy/host.ts';
import { type ResolveRule, resolveByRules } from '../policy/resolve-rule.ts';
import type { ChooseProxy } from './corporate/environment.ts';
import { UpstreamError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { Lookup, Speaks, Way } from './upstream-call.ts';

/** Finds the addresses of a target. */
export interface Resolver {
  lookup(target: Target, speaks: Speaks): Promise<Lookup>;
  /** The addresses of a host that no policy judges: that of a proxy. */
  addressesOf(host: string): Promise<readonly string[]>;
  forget(target: Target): void;
}

export interface ResolverDeps {
  readonly rules: readonly ResolveRule[];
  readonly limits: Limits;
  readonly proxyFor: ChooseProxy;
  /** Finds the addresses of a name; the machine's own resolver where absent. */
  readonly resolveName?: (host: string) => Promise<readonly string[]>;
}

/**
 * Makes the resolver: `--resolve` rules, then a corporate proxy, which looks names up itself, then the machine's own
 * (getaddrinfo), whose answers are kept for a short while.
 */
export function createResolver(deps: ResolverDeps): Resolver {
  const { rules, limits, proxyFor, resolveName = systemLookup } = deps;
  const known = new Map<string, { addresses: readonly string[]; until: number }>();

  const ask = async (host: string): Promise<{ addresses: readonly string[]; dnsMs: number }> => {
    const started = performance.now();
    const asked = resolveName(host).catch((error: unknown) => {
      throw new UpstreamError('dns_failed', `${host} cannot be resolved: ${messageOf(error)}`, error);
    });
    const addresses = await withTimeout(asked, limits.lookupMs, host);
    if (known.size > 10_000) known.clear();
    known.set(host, { addresses, until: Date.now() + limits.lookupTtlMs });
    return { addresses, dnsMs: performance.now() - started };
  };

  return {
    forget: (target) => {
      known.delete(target.host);
    },
    addressesOf: async (host) => {
      if (isIpLiteral(host)) return [host];
      const kept = known.get(host);
      return kept !== undefined && kept.until > Date.now() ? kept.addresses : (await ask(host)).addresses;
    },
    lookup: async (target, speaks) => {
      const pinned = resolveByRules(rules, target);
      if (pinned !== undefined) return { candidates: pinned };
      const proxy = proxyFor(target, speaks);
      if (proxy !== undefined) {
        const through = { proxy, target, absolute: speaks === 'http' };
        const way: Way = { address: proxy.label, port: proxy.port, pinned: false, through };
        return { candidates: [], way };
      }
      if (isIpLiteral(target.host)) return { candidates: candidatesOf([target.host], target.port) };
      const kept = known.get(target.host);
      if (kept !== undefined && kept.until > Date.now()) {
        return { candidates: candidatesOf(kept.addresses, target.port) };
      }
      const { addresses, dnsMs } = await ask(target.host);
      return { candidates: candidatesOf(addresses, target.port), dnsMs };
    },
  };
}

function candidatesOf(addresses: readonly string[], port: number): Candidate[] {
  return addresses.map((address) => ({ address, port, pinned: false }));
}

async function systemLookup(host: string): Promise<string[]> {
  const answers = await systemResolve(host, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
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
