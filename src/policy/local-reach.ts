import { classifyAddress } from './address.ts';
import { contains } from './cidr.ts';
import { parseIp } from './ip.ts';
import type { ListName, Pattern } from './pattern.ts';
import type { ResolveRule } from './resolve-rule.ts';
import { localPorts } from './run-patterns.ts';

/**
 * What lists and resolve rules let a command reach on this machine itself, and on its own network segment by exact
 * address: `local:PORT` for services of the loopback, `address:ADDR[:PORT]` for the machine's own other addresses,
 * and for link-local, metadata and multicast ones. Each once, in the order in which they are found. Pure.
 */
export function localReach(
  lists: Readonly<Record<ListName, readonly Pattern[]>>,
  rules: readonly ResolveRule[],
  ownAddresses: ReadonlySet<string>,
): string[] {
  const entries = [...lists.allow, ...lists.passthrough];
  const byEntry = entries.flatMap((pattern) => ofEntry(pattern, ownAddresses));
  const byRule = rules
    .flatMap(({ candidates }) => candidates)
    .flatMap(({ address, port }) => ofRule(address, port, ownAddresses));
  return [...new Set([...localPorts(lists).map((port) => `local:${port}`), ...byEntry, ...byRule])];
}

function ofEntry(pattern: Pattern, own: ReadonlySet<string>): string[] {
  if (pattern.kind === 'range') {
    const within = (address: string): boolean => {
      const ip = parseIp(address);
      return ip !== undefined && classifyAddress(address) !== 'loopback' && contains(pattern.range, ip);
    };
    return [...own].filter(within).map((address) => named(address, undefined));
  }
  if (pattern.kind !== 'ip') return [];
  switch (classifyAddress(pattern.host)) {
    // Counted with the names of the loopback; without a port it opens nothing.
    case 'loopback':
      return [];
    // The kernel connects it to the loopback.
    case 'unspecified':
      return (pattern.port === undefined ? [80, 443] : [pattern.port]).map((port) => `local:${port}`);
    case 'link-local':
    case 'metadata':
    case 'multicast':
      return [named(pattern.host, pattern.port)];
    default:
      return own.has(pattern.host) ? [named(pattern.host, pattern.port)] : [];
  }
}

/** A rule opens what is private, reserved or loopback, and nothing worse. */
function ofRule(address: string, port: number, own: ReadonlySet<string>): string[] {
  if (classifyAddress(address) === 'loopback') return [`local:${port}`];
  return own.has(address) ? [named(address, port)] : [];
}

function named(address: string, port: number | undefined): string {
  const shown = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? `address:${shown}` : `address:${shown}:${port}`;
}
