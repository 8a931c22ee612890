import type { Decision } from '../core/decision.ts';
import type { AddressVerdict, Candidate, NameVerdict, Policy, Target } from '../core/policy.ts';
import { type AddressClass, classifyAddress } from './address.ts';
import { isIpLiteral } from './host.ts';
import { formatIp, parseIp } from './ip.ts';
import type { Matcher } from './match.ts';
import type { ListName, Pattern } from './pattern.ts';

/** Everything that a decision depends on besides the request. */
export interface PolicyState {
  readonly lists: Readonly<Record<ListName, Matcher>>;
  /** Unknown hosts get 403. */
  readonly enforce: boolean;
  /** Ports that gate itself listens on: never a destination on this machine. */
  readonly ownPorts: ReadonlySet<number>;
  /** The machine's own addresses (`machineAddresses`); public ones among them are vetted like private ones. */
  readonly ownAddresses: ReadonlySet<string>;
}

/** The policy of a run. `state` is asked for each decision, so that a reloaded list counts from the next request. */
export function createPolicy(state: () => PolicyState): Policy {
  return {
    byName: (target) => decideByName(state(), target),
    byAddress: (target, verdict, candidates) => decideByAddress(state(), target, verdict, candidates),
  };
}

/** Steps 1, 2, 4 and 5 of docs/decision.md: what the lists say of the name, before anything is looked up. */
export function decideByName(state: PolicyState, target: Target): NameVerdict {
  const hit = (list: ListName) => state.lists[list].match(target.host, target.port);
  const denied = hit('deny');
  if (denied !== undefined) return { action: 'deny', decision: listed('deny', 'denylisted', 'deny', denied) };
  const tunnel = hit('passthrough');
  if (tunnel !== undefined) {
    return { action: 'tunnel', decision: listed('forward', 'passthrough', 'passthrough', tunnel) };
  }
  const allowed = hit('allow');
  if (allowed !== undefined) {
    return { action: 'forward', decision: listed('forward', 'allowlisted', 'allow', allowed) };
  }
  if (state.enforce) return { action: 'deny', decision: { verdict: 'deny', reason: 'not_allowlisted' } };
  return { action: 'forward', decision: { verdict: 'forward', reason: 'unlisted' } };
}

/**
 * Step 3 of docs/decision.md, with denylist CIDRs. All candidates are judged and one bad one denies the request,
 * so that a mixed answer cannot be retried until the bad address is dialled. Without candidates (a corporate proxy
 * looks the name up) what the host itself says is judged: an IP literal, or a name reserved for local use.
 */
export function decideByAddress(
  state: PolicyState,
  target: Target,
  verdict: NameVerdict,
  candidates: readonly Candidate[],
): AddressVerdict {
  if (verdict.action === 'deny') return { decision: verdict.decision, candidates: [] };
  const judged = candidates.length > 0 ? candidates : impliedCandidates(target);
  for (const { address, port } of judged) {
    const denied = state.lists.deny.matchAddress(canonicalAddress(address), port);
    if (denied !== undefined) {
      return { decision: listed('deny', 'denylisted', 'deny', denied), candidates: [] };
    }
  }
  if (judged.every((candidate) => mayDial(state, target, verdict, candidate))) {
    return { decision: verdict.decision, candidates };
  }
  return { decision: { verdict: 'deny', reason: 'private_destination' }, candidates: [] };
}

function mayDial(state: PolicyState, target: Target, verdict: NameVerdict, candidate: Candidate): boolean {
  const kind = classifyAddress(candidate.address);
  if (kind === undefined) return false;
  const ours = state.ownAddresses.has(canonicalAddress(candidate.address));
  if (state.ownPorts.has(candidate.port) && (ours || kind === 'loopback' || kind === 'unspecified'))
    return false;
  return isOpen(state, target, verdict, ours && kind === 'public' ? 'private' : kind, candidate.pinned);
}

function isOpen(
  { lists }: PolicyState,
  target: Target,
  verdict: NameVerdict,
  kind: AddressClass,
  pinned: boolean,
): boolean {
  const entry = (question: 'exactIp' | 'exactLocal') =>
    lists.allow[question](target.host, target.port) ?? lists.passthrough[question](target.host, target.port);
  switch (kind) {
    case 'public':
      return true;
    case 'private':
      return pinned || verdict.decision.list !== undefined;
    case 'loopback':
      return pinned || entry('exactLocal') !== undefined;
    case 'reserved':
      return pinned || entry('exactIp') !== undefined;
    case 'link-local':
    case 'metadata':
    case 'unspecified':
    case 'multicast':
      // Not by --resolve either: its rules may come from a config file that was copied without reading.
      return entry('exactIp') !== undefined;
  }
}

/** Names that never mean a public host (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal), by what they mean. */
const RESERVED_NAMES: readonly (readonly [string, string])[] = [
  ['localhost', '127.0.0.1'],
  ['metadata.google.internal', '169.254.169.254'],
  ['instance-data.ec2.internal', '169.254.169.254'],
  ['local', '10.0.0.0'],
  ['internal', '10.0.0.0'],
  ['home.arpa', '10.0.0.0'],
];

function impliedCandidates({ host, port }: Target): Candidate[] {
  const reserved = RESERVED_NAMES.find(([name]) => host === name || host.endsWith(`.${name}`));
  const address = isIpLiteral(host) ? host : reserved?.[1];
  return address === undefined ? [] : [{ address, port, pinned: false }];
}

function canonicalAddress(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

function listed(verdict: Decision['verdict'], reason: string, list: ListName, pattern: Pattern): Decision {
  return { verdict, reason, list, pattern: pattern.text, ...(pattern.ofRun ? { ofRun: true } : {}) };
}
