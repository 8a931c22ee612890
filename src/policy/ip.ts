/** An IP address as a number: 32 bits for version 4, 128 for version 6. IPv4-mapped IPv6 is always version 4 here. */
export interface Ip {
  readonly version: 4 | 6;
  readonly value: bigint;
}

const MAPPED = 0xffffn;
const V4_LIMIT = 2 ** 32;

/**
 * Reads an IP address in any spelling that a client on the machine might accept: dotted, short, decimal, octal
 * and hexadecimal IPv4 (https://url.spec.whatwg.org/#concept-ipv4-parser, which includes inet_aton's), and IPv6
 * without brackets and without a zone id (RFC 4291 §2.2). Returns undefined for anything else.
 */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { version: 4, value };
  }
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  // A connect() to ::ffff:a.b.c.d is a connection to a.b.c.d: one host must not have two names in a list.
  if (value >> 32n === MAPPED) return { version: 4, value: value & 0xffffffffn };
  return { version: 6, value };
}

/** The one way gate writes an address: dotted decimal IPv4, or IPv6 as in RFC 5952 without brackets. */
export function formatIp(ip: Ip): string {
  return ip.version === 4 ? formatIpv4(ip.value) : formatIpv6(ip.value);
}

function formatIpv4(value: bigint): string {
  const bits = Number(value);
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

/** Whether a last label makes the whole name an IPv4 address or nothing (WHATWG "ends in a number"). */
export function looksNumeric(label: string): boolean {
  return /^(?:[0-9]+|0[xX][0-9a-fA-F]*)$/.test(label);
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  const numbers = parts.map(parseIpv4Number);
  let value = 0;
  for (const [i, number] of numbers.entries()) {
    if (number === undefined) return undefined;
    // The last part fills all the bytes that are left: 127.1 is 127.0.0.1.
    const last = i === numbers.length - 1;
    if (number >= (last ? 256 ** (5 - numbers.length) : 256)) return undefined;
    value += last ? number : number * 256 ** (3 - i);
  }
  return value < V4_LIMIT ? BigInt(value) : undefined;
}

function parseIpv4Number(part: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]*$/.test(part)) return part.length === 2 ? 0 : Number(part);
  if (/^0[0-7]+$/.test(part)) return Number.parseInt(part, 8);
  return /^(?:0|[1-9][0-9]*)$/.test(part) ? Number(part) : undefined;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const compressed = halves.length === 2;
  const left = parseGroups(halves[0] ?? '', compressed);
  const right = compressed ? parseGroups(halves[1] ?? '', true) : [];
  if (left === undefined || right === undefined) return undefined;
  // Dotted IPv4 is only allowed as the very end.
  if (compressed && halves[0]?.includes('.')) return undefined;
  const missing = 8 - left.length - right.length;
  if (compressed ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...new Array<number>(compressed ? missing : 0).fill(0), ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function parseGroups(text: string, mayBeEmpty: boolean): number[] | undefined {
  if (text === '') return mayBeEmpty ? [] : undefined;
  const parts = text.split(':');
  if (parts.length > 8) return undefined;
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const tail = i === parts.length - 1 ? parseDotted(part) : undefined;
    if (tail === undefined) return undefined;
    groups.push(tail >>> 16, tail & 0xffff);
  }
  return groups;
}

/** Four plain decimal numbers: inside IPv6 no other spelling is accepted by anyone. */
function parseDotted(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255) || /(?:^|\.)0\d/.test(text)) return undefined;
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
