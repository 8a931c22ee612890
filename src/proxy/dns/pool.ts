import { isIPv4 } from 'node:net';
import { EXIT, GateError } from '../../core/errors.ts';

/** Where names get their addresses when nothing else is configured (RFC 2544: never routed). */
export const DEFAULT_POOL = '198.18.0.0/15';

/** One stable address for each name, never given to another within a run. */
export interface AddressPool {
  /** The address of a name, the same at each call; undefined when all are given out. */
  addressFor(name: string): string | undefined;
  /** The name that an address was given to, also for its mapped form `::ffff:a.b.c.d`. */
  nameOf(address: string): string | undefined;
  /** Whether an address lies in the pool's range, given or not. */
  includes(address: string): boolean;
  /** How many names have an address, and how many there can be. */
  readonly used: number;
  readonly size: number;
}

const MIN_PREFIX = 8;
const MAX_PREFIX = 29;
/**
 * In pools of some size the first addresses stay free: other tools that give out addresses from the same range
 * put their gateways there, and network zero is never a host.
 */
const RESERVED_FIRST = 16;

/**
 * Makes a pool from a CIDR between /8 and /29. Its memory is bounded by its size: the default range holds
 * 131,055 names. Throws a GateError `bad_dns_pool` (usage) for what is no such range, or is loopback, multicast,
 * or unspecified space.
 */
export function createAddressPool(cidr: string = DEFAULT_POOL): AddressPool {
  const { base, count } = parseRange(cidr);
  const skipped = count >= 256 ? RESERVED_FIRST : 1;
  const first = base + skipped;
  // The last address of the range is its broadcast address.
  const size = count - skipped - 1;
  const names: string[] = [];
  const indexes = new Map<string, number>();

  const addressFor = (name: string): string | undefined => {
    const key = canonical(name);
    let index = indexes.get(key);
    if (index === undefined) {
      if (names.length >= size) return undefined;
      index = names.push(key) - 1;
      indexes.set(key, index);
    }
    return toText(first + index);
  };

  return {
    addressFor,
    nameOf: (address) => {
      const number = toNumber(address);
      return number === undefined ? undefined : names[number - first];
    },
    includes: (address) => {
      const number = toNumber(address);
      return number !== undefined && number >= base && number < base + count;
    },
    get used() {
      return names.length;
    },
    size,
  };
}

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function parseRange(cidr: string): { base: number; count: number } {
  const [address = '', prefix = '', ...rest] = cidr.split('/');
  const number = toNumber(address);
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : Number.NaN;
  const fits = bits >= MIN_PREFIX && bits <= MAX_PREFIX;
  if (number === undefined || !isIPv4(address) || !fits || rest.length > 0) {
    throw badPool(cidr, `it must be an IPv4 range between /${MIN_PREFIX} and /${MAX_PREFIX}`);
  }
  const count = 2 ** (32 - bits);
  const base = number - (number % count);
  const network = Math.floor(base / 2 ** 24);
  if (network === 0 || network === 127 || network >= 224) {
    throw badPool(
      cidr,
      'these addresses never leave the machine they are on, or have a meaning of their own',
    );
  }
  return { base, count };
}

function badPool(cidr: string, reason: string): GateError {
  return new GateError('bad_dns_pool', `dns.pool '${cidr}' cannot be used: ${reason}`, {
    exitCode: EXIT.usage,
    hint: `dns.pool = "${DEFAULT_POOL}"`,
  });
}

function toNumber(address: string): number | undefined {
  const plain = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address;
  if (!isIPv4(plain)) return undefined;
  return plain.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
