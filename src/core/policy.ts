import type { Decision } from './decision.ts';

/** Where a request wants to go: the canonical host (src/policy/host.ts) and the port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What the lists say of a name, before anything is looked up. */
export interface NameVerdict {
  readonly action: 'deny' | 'tunnel' | 'forward';
  readonly decision: Decision;
}

/** An address that the target may be dialled at. `pinned`: the person named it with `--resolve`. */
export interface Candidate {
  readonly address: string;
  readonly port: number;
  readonly pinned: boolean;
}

/** What the policy says once the addresses are known. `candidates` are those that may be dialled, in order. */
export interface AddressVerdict {
  readonly decision: Decision;
  readonly candidates: readonly Candidate[];
}

/** The decision, in its two steps (docs/decision.md): by name, then by address. Pure as long as lists stand. */
export interface Policy {
  /** Denylist, enforcement and passthrough. */
  byName(target: Target): NameVerdict;
  /** Destination vetting and denylist CIDRs. All candidates are judged; one bad address denies the request. */
  byAddress(target: Target, verdict: NameVerdict, candidates: readonly Candidate[]): AddressVerdict;
}
