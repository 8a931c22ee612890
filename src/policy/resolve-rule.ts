import type { Candidate, Target } from '../core/policy.ts';
import { canonicalHost, isIpLiteral, parsePort } from './host.ts';

/** One `--resolve HOST:PORT:ADDR[:PORT]`: where a target is dialled instead of asking DNS. */
export interface ResolveRule {
  /** As written. */
  readonly text: string;
  /** Canonical host, or `*` for every host on that port. */
  readonly host: string;
  readonly port: number;
  /** In order of preference; all of them are vetted. */
  readonly candidates: readonly Candidate[];
}

/** A rule, or the reason why the text is none. */
export type ResolveRuleResult = { readonly rule: ResolveRule } | { readonly problem: string };

/**
 * Reads a rule in curl's syntax (https://curl.se/docs/manpage.html#--resolve): `HOST:PORT:ADDR[,ADDR]…`, each
 * address with an optional `:PORT`, which curl does not have. IPv6 stands in brackets, or bare where no port
 * follows. `HOST` may be an IP literal (IPv6 in brackets) or `*`.
 */
export function parseResolveRule(text: string): ResolveRuleResult {
  const match = /^(\[[^\]]+\]|[^:[\]]+):([^:]*):(.+)$/.exec(text.trim());
  if (match === null) return { problem: 'expected HOST:PORT:ADDR[:PORT]' };
  const [, rawHost = '', rawPort = '', rest = ''] = match;
  const host = rawHost === '*' ? rawHost : canonicalHost(rawHost);
  if (host === undefined) return { problem: `'${rawHost}' is not a host name or an IP address` };
  const port = parsePort(rawPort);
  if (port === undefined) return { problem: `bad port '${rawPort}'; use 1 to 65535` };
  const candidates: Candidate[] = [];
  for (const part of rest.split(',')) {
    const found = parseAddress(part, port);
    if (found === undefined) return { problem: `'${part}' is not an address or address:port` };
    candidates.push(found);
  }
  return { rule: { text: text.trim(), host, port, candidates } };
}

/** The addresses that a target is pinned to; undefined where DNS is to be asked. The first exact rule wins, then `*`. */
export function resolveByRules(
  rules: readonly ResolveRule[],
  target: Target,
): readonly Candidate[] | undefined {
  const onPort = rules.filter((rule) => rule.port === target.port);
  const rule =
    onPort.find(({ host }) => host === target.host) ??
    // An IP literal is an address already; `*` is for names.
    (isIpLiteral(target.host) ? undefined : onPort.find(({ host }) => host === '*'));
  return rule?.candidates;
}

function parseAddress(part: string, defaultPort: number): Candidate | undefined {
  // Bare IPv6, as curl takes it: two colons cannot be an address with its port.
  const bare = !part.startsWith('[') && part.indexOf(':') !== part.lastIndexOf(':');
  const match = bare ? null : /^(\[[^\]]+\]|[^:[\]]+)(?::(.*))?$/.exec(part);
  const [, rawAddress = part, rawPort] = match ?? [];
  const address = canonicalHost(rawAddress);
  const port = rawPort === undefined ? defaultPort : parsePort(rawPort);
  if (address === undefined || !isIpLiteral(address) || port === undefined) return undefined;
  return { address, port, pinned: true };
}
