import { networkInterfaces } from 'node:os';
import { type Cidr, cidr, contains } from './cidr.ts';
import { formatIp, type Ip, parseIp } from './ip.ts';

/**
 * What kind of place an address is. `private` is what an allowlist match opens; `loopback` needs an exact entry
 * with a port; the rest needs an exact IP entry (docs/decision.md).
 */
export type AddressClass =
  | 'public'
  | 'private'
  | 'reserved'
  | 'loopback'
  | 'link-local'
  | 'metadata'
  | 'unspecified'
  | 'multicast';

/** From harmless to dangerous: an address that leads to several places is judged by the last of them. */
const RANK: readonly AddressClass[] = [
  'public',
  'private',
  'reserved',
  'multicast',
  'link-local',
  'loopback',
  'unspecified',
  'metadata',
];

/** The first row that contains an address gives its class; what no row contains is public (v4) or see `classOf`. */
const ROWS: readonly (readonly [string, AddressClass])[] = [
  // Instance metadata, each as documented by its cloud. They answer only inside that cloud, and with credentials.
  ['169.254.169.254/32', 'metadata'], // AWS, GCP, Azure, OpenStack, DigitalOcean, OCI
  ['169.254.170.2/32', 'metadata'], // AWS ECS task credentials
  ['169.254.170.23/32', 'metadata'], // AWS EKS Pod Identity
  ['169.254.0.23/32', 'metadata'], // Tencent Cloud
  ['100.100.100.200/32', 'metadata'], // Alibaba Cloud; inside CGNAT space
  ['192.0.0.192/32', 'metadata'], // Oracle Cloud classic
  ['168.63.129.16/32', 'metadata'], // Azure WireServer; looks public
  ['fd00:ec2::254/128', 'metadata'], // AWS over IPv6
  ['fd00:ec2::23/128', 'metadata'], // AWS EKS Pod Identity over IPv6
  ['fd20:ce::254/128', 'metadata'], // GCP over IPv6
  ['fd00:c1::a9fe:a9fe/128', 'metadata'], // Oracle Cloud over IPv6
  // IANA IPv4 special-purpose registry (RFC 6890, https://www.iana.org/assignments/iana-ipv4-special-registry).
  ['0.0.0.0/8', 'unspecified'], // RFC 791; Linux connects 0.0.0.0 to itself
  ['10.0.0.0/8', 'private'], // RFC 1918
  ['100.64.0.0/10', 'private'], // RFC 6598, CGNAT
  ['127.0.0.0/8', 'loopback'], // RFC 1122
  ['169.254.0.0/16', 'link-local'], // RFC 3927
  ['172.16.0.0/12', 'private'], // RFC 1918
  ['192.0.0.0/24', 'reserved'], // RFC 6890, protocol assignments
  ['192.0.2.0/24', 'reserved'], // RFC 5737, TEST-NET-1
  ['192.88.99.0/24', 'reserved'], // RFC 7526, 6to4 relays, withdrawn
  ['192.168.0.0/16', 'private'], // RFC 1918
  ['198.18.0.0/15', 'private'], // RFC 2544, benchmarking; also where gate's own names live
  ['198.51.100.0/24', 'reserved'], // RFC 5737, TEST-NET-2
  ['203.0.113.0/24', 'reserved'], // RFC 5737, TEST-NET-3
  ['224.0.0.0/4', 'multicast'], // RFC 5771
  ['240.0.0.0/4', 'reserved'], // RFC 1112, with limited broadcast (RFC 8190)
  // IANA IPv6 special-purpose registry (https://www.iana.org/assignments/iana-ipv6-special-registry).
  ['::/128', 'unspecified'], // RFC 4291
  ['::1/128', 'loopback'], // RFC 4291
  ['64:ff9b:1::/48', 'private'], // RFC 8215, local-use NAT64
  ['100::/64', 'reserved'], // RFC 6666, discard
  ['100:0:0:1::/64', 'reserved'], // RFC 9780, dummy prefix
  ['2001:2::/48', 'private'], // RFC 5180, benchmarking, the sister of 198.18.0.0/15
  ['2001:db8::/32', 'reserved'], // RFC 3849, documentation
  ['3fff::/20', 'reserved'], // RFC 9637, documentation
  ['5f00::/16', 'reserved'], // RFC 9602, segment routing
  ['fc00::/7', 'private'], // RFC 4193, ULA
  ['fe80::/10', 'link-local'], // RFC 4291
  ['fec0::/10', 'reserved'], // RFC 3879, site-local, withdrawn
  ['ff00::/8', 'multicast'], // RFC 4291
];

const low32 = (value: bigint): bigint => value & 0xffffffffn;

/** RFC 8215 leaves the prefix length to the operator; RFC 6052 §2.2 ends each shorter form with zeros. */
function localNat64(value: bigint): bigint {
  if ((value & 0xffffffffffn) === 0n) return (((value >> 64n) & 0xffffn) << 16n) | ((value >> 40n) & 0xffffn);
  if (low32(value) === 0n) return (((value >> 64n) & 0xffn) << 24n) | ((value >> 32n) & 0xffffffn);
  return (value & 0xffffffn) === 0n ? low32(value >> 24n) : low32(value);
}

/** IPv6 addresses that a translator or tunnel turns into IPv4: where the inner addresses are in them. */
const WRAPPERS: readonly (readonly [string, (value: bigint) => readonly bigint[]])[] = [
  ['::/96', (v) => (v > 1n ? [low32(v)] : [])], // RFC 4291 §2.5.5.1, IPv4-compatible
  ['::ffff:0:0:0/96', (v) => [low32(v)]], // RFC 2765, IPv4-translated
  ['64:ff9b::/96', (v) => [low32(v)]], // RFC 6052, NAT64
  ['64:ff9b:1::/48', (v) => [localNat64(v)]],
  ['2001::/32', (v) => [low32(v >> 64n), low32(~v)]], // RFC 4380, Teredo server and client
  ['2002::/16', (v) => [low32(v >> 80n)]], // RFC 3056, 6to4
];

const TABLE = ROWS.map(([range, kind]) => ({ range: cidr(range), kind }));
const WRAPPED = WRAPPERS.map(([range, inner]) => ({ range: cidr(range), inner }));
const PROTOCOL_ASSIGNMENTS = cidr('2001::/23');
const GLOBAL_UNICAST = cidr('2000::/3');
const NAT64 = cidr('64:ff9b::/96');

/**
 * Judges an address in any spelling. Addresses that carry an IPv4 address (NAT64, 6to4, Teredo, ISATAP, …) are
 * judged by the worst of themselves and what they carry. Returns undefined for what is not an address.
 */
export function classifyAddress(address: string): AddressClass | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  return [ip, ...embeddedIps(ip)].map(classOf).reduce(worse);
}

/** The IPv4 addresses that a translator or tunnel would make of this address, in canonical form. */
export function embeddedAddresses(address: string): string[] {
  const ip = parseIp(address);
  return ip === undefined ? [] : embeddedIps(ip).map(formatIp);
}

/** The machine's own addresses at this moment, in canonical form. */
export function machineAddresses(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) {
      // Link-local addresses come with a zone here; they are never reachable through gate anyway.
      const ip = parseIp(address);
      if (ip !== undefined) found.add(formatIp(ip));
    }
  }
  return found;
}

/**
 * An address of this machine by which it is reached from outside: IPv4 before IPv6, none that is link-local, since
 * those need their interface named. Undefined where it has only loopback.
 */
export function outsideAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const usable = all.filter(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/i.test(address));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
}

function embeddedIps(ip: Ip): Ip[] {
  if (ip.version === 4) return [];
  const values = WRAPPED.filter(({ range }) => contains(range, ip)).flatMap(({ inner }) => inner(ip.value));
  // RFC 5214 §6.1: ISATAP is told by the interface identifier, under any prefix.
  if (((ip.value >> 32n) & 0xfdffffffn) === 0x5efen) values.push(low32(ip.value));
  return values.map((value) => ({ version: 4, value }));
}

function classOf(ip: Ip): AddressClass {
  const row = TABLE.find(({ range }) => contains(range, ip));
  if (row !== undefined) return row.kind;
  if (ip.version === 4) return 'public';
  return isGlobalIpv6(ip) ? 'public' : 'reserved';
}

/** IPv6 is closed by default: only 2000::/3 is handed out, and in it 2001::/23 is not for hosts, but for Teredo. */
function isGlobalIpv6(ip: Ip): boolean {
  const within = (range: Cidr) => contains(range, ip);
  if (within(NAT64)) return true;
  if (!within(GLOBAL_UNICAST)) return false;
  return !within(PROTOCOL_ASSIGNMENTS) || WRAPPED.some(({ range }) => within(range));
}

function worse(a: AddressClass, b: AddressClass): AddressClass {
  return RANK.indexOf(a) > RANK.indexOf(b) ? a : b;
}
