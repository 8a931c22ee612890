import { formatIp, type Ip, parseIp } from './ip.ts';

/** A range of addresses; `base` has no bits set after the prefix. */
export interface Cidr {
  readonly version: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

/** A range, or the reason why the text is none. */
export type CidrResult = { readonly cidr: Cidr } | { readonly problem: string };

/** Reads `address/prefix` (RFC 4632, RFC 4291 §2.3). Bits after the prefix are refused: they hide what was meant. */
export function parseCidr(text: string): CidrResult {
  const slash = text.indexOf('/');
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash));
  if (ip === undefined) return { problem: 'not an address range such as 10.0.0.0/8' };
  const digits = text.slice(slash + 1);
  // ::ffff:10.0.0.0/104 counts its prefix in 128 bits, though the address is kept as IPv4.
  const shift = ip.version === 4 && text.includes(':') ? 96 : 0;
  const prefix = /^(?:0|[1-9][0-9]{0,2})$/.test(digits) ? Number(digits) - shift : -1;
  if (prefix < 0 || prefix > width(ip.version)) return { problem: `bad prefix length '/${digits}'` };
  const base = network(ip, prefix);
  if (base !== ip.value) {
    const meant = formatIp({ version: ip.version, value: base });
    return { problem: `the address has bits after the prefix; write ${meant}/${prefix}` };
  }
  return { cidr: { version: ip.version, base, prefix } };
}

/** Reads a range that is known to be right, for tables in code. Throws a RangeError where it is not. */
export function cidr(text: string): Cidr {
  const result = parseCidr(text);
  if ('problem' in result) throw new RangeError(`${text}: ${result.problem}`);
  return result.cidr;
}

/** The address with all bits after the prefix cleared. */
export function network(ip: Ip, prefix: number): bigint {
  const host = BigInt(width(ip.version) - prefix);
  return (ip.value >> host) << host;
}

/** Whether the address lies in the range. */
export function contains(range: Cidr, ip: Ip): boolean {
  return range.version === ip.version && network(ip, range.prefix) === range.base;
}

/** Whether every address of `inner` lies in `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && contains(outer, { version: inner.version, value: inner.base });
}

/** Bits of an address. */
export function width(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}
