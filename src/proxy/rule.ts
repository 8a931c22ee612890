import type { Decision } from '../core/decision.ts';
import type { Policy, Target } from '../core/policy.ts';
import type { Claim } from './claim.ts';
import { UpstreamError } from './errors.ts';
import type { Speaks, Upstream, Way } from './upstream-call.ts';

/** What becomes of a request. `fail`: the policy would let it, but its host cannot be found. */
export type Ruling = { readonly decision: Decision; readonly dnsMs?: number } & (
  | { readonly kind: 'deny' }
  | { readonly kind: 'forward'; readonly candidates: readonly Way[] }
  | { readonly kind: 'fail'; readonly error: UpstreamError }
);

/** Decides on a request in the two steps of docs/decision.md. A name that is denied is never looked up. */
export async function ruleOn(
  claim: Claim,
  speaks: Speaks,
  policy: Policy,
  upstream: Upstream,
): Promise<Ruling> {
  if (!claim.ok) return { kind: 'deny', decision: { verdict: 'deny', reason: claim.reason } };
  const target: Target = { host: claim.host, port: claim.port };
  const named = policy.byName(target);
  if (named.action === 'deny') return { kind: 'deny', decision: named.decision };
  try {
    const { candidates, way, dnsMs } = await upstream.lookup(target, speaks);
    const verdict = policy.byAddress(target, named, candidates);
    const timed = dnsMs === undefined ? {} : { dnsMs };
    const { decision } = verdict;
    if (decision.verdict === 'deny') return { kind: 'deny', decision, ...timed };
    return {
      kind: 'forward',
      decision,
      candidates: way === undefined ? verdict.candidates : [way],
      ...timed,
    };
  } catch (error) {
    if (error instanceof UpstreamError) return { kind: 'fail', decision: named.decision, error };
    throw error;
  }
}
