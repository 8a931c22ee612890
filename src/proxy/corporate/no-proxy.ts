import type { Target } from '../../core/policy.ts';
import { type Cidr, contains, parseCidr } from '../../policy/cidr.ts';
import { canonicalHost, isIpLiteral, parsePort } from '../../policy/host.ts';
import { parseIp } from '../../policy/ip.ts';

type Matches = (target: Target) => boolean;

/**
 * Reads `NO_PROXY`: entries between commas or blanks, each `*`, a name (it and all names below it, with or without a
 * dot in front), an address or a range, names and addresses with an optional `:port`. As curl
 * (https://curl.se/docs/manpage.html, --noproxy) and Go (golang.org/x/net/http/httpproxy) take it, where they agree;
 * as curl for the leading dot. Entries that are nothing of it match nothing.
 */
export function parseNoProxy(text: string): Matches {
  const entries = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(entryOf);
  return (target) => entries.some((matches) => matches(target));
}

function entryOf(text: string): Matches {
  if (text === '*') return () => true;
  const range = parseCidr(text);
  if ('cidr' in range) return inRange(range.cidr);
  const { host, port } = splitPort(text);
  const name = canonicalHost(host.replace(/^\*?\./, ''));
  if (name === undefined) return () => false;
  const below = isIpLiteral(name) ? undefined : `.${name}`;
  return (target) => {
    if (port !== undefined && port !== target.port) return false;
    return target.host === name || (below !== undefined && target.host.endsWith(below));
  };
}

function inRange(range: Cidr): Matches {
  return ({ host }) => {
    const ip = isIpLiteral(host) ? parseIp(host) : undefined;
    return ip !== undefined && contains(range, ip);
  };
}

/** IPv6 with a port stands in brackets; bare, all of it is the address. */
function splitPort(text: string): { host: string; port: number | undefined } {
  const [, host = text, port = ''] = /^(\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(text) ?? [];
  return { host, port: parsePort(port) };
}
