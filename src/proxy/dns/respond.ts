import { type Answer, CLASS_IN, type Query, RCODE, TYPE } from './codec.ts';
import { isHostName, nameText, reverseAddress } from './names.ts';
import type { AddressPool } from './pool.ts';

/** What to answer and what to write down. */
export interface Response {
  readonly answer: Answer;
  /** The name asked for, as text. */
  readonly name: string;
  /** For the record: an address, a name, or a word. */
  readonly said: string;
  readonly exhausted?: true;
}

const NO_DATA: Answer = { rcode: RCODE.noError };
const NX_DOMAIN: Answer = { rcode: RCODE.nxDomain };

/**
 * Decides the answer to a well-formed query. Only addresses are told: a name that exists has no other data
 * (NODATA, never NXDOMAIN, which musl takes for the whole name).
 */
export function respond(query: Query, pool: AddressPool): Response {
  const name = nameText(query.labels);
  const reply = (answer: Answer, said: string): Response => ({ answer, name, said });
  if (query.edns !== undefined && query.edns.version > 0) return reply({ rcode: RCODE.badVers }, 'BADVERS');
  if (query.class !== CLASS_IN || isMetaType(query.type)) return reply({ rcode: RCODE.refused }, 'REFUSED');
  if (query.type === TYPE.PTR) return pointer(name, pool);
  if (query.labels.length === 0) return reply(NO_DATA, 'NODATA');
  // Outside such a name would not exist either, and nothing could connect to it by this spelling.
  if (!isHostName(query.labels)) return reply(NX_DOMAIN, 'NXDOMAIN');
  if (query.labels.at(-1)?.toLowerCase() === 'localhost') return loopback(query.type, name);
  return address(query.type, name, pool);
}

/** Zone transfers, transaction keys and the like (RFC 6895, 3.1): not data of a name. ANY is answered with A. */
function isMetaType(type: number): boolean {
  return type === 0 || type === TYPE.OPT || (type >= 249 && type <= 254);
}

/** ANY may be answered with a subset of what there is (RFC 8482, 4.1). */
function asksForA(type: number): boolean {
  return type === TYPE.A || type === TYPE.ANY;
}

/** `localhost` and everything below it is loopback, whatever the pool says (RFC 6761, 6.3). */
function loopback(type: number, name: string): Response {
  if (asksForA(type)) {
    return { answer: { rcode: 0, record: { type: TYPE.A, address: '127.0.0.1' } }, name, said: '127.0.0.1' };
  }
  if (type === TYPE.AAAA) {
    return { answer: { rcode: 0, record: { type: TYPE.AAAA, address: '::1' } }, name, said: '::1' };
  }
  return { answer: NO_DATA, name, said: 'NODATA' };
}

function address(type: number, name: string, pool: AddressPool): Response {
  if (!asksForA(type)) return { answer: NO_DATA, name, said: 'NODATA' };
  const given = pool.addressFor(name);
  if (given === undefined) {
    return { answer: { rcode: RCODE.servFail }, name, said: 'SERVFAIL', exhausted: true };
  }
  return { answer: { rcode: 0, record: { type: TYPE.A, address: given } }, name, said: given };
}

/** The names that gate itself gave addresses to; about every other address it knows nothing. */
function pointer(name: string, pool: AddressPool): Response {
  const asked = reverseAddress(name);
  const known = asked === undefined ? undefined : pool.nameOf(asked);
  if (known === undefined) return { answer: NX_DOMAIN, name, said: 'NXDOMAIN' };
  return { answer: { rcode: 0, record: { type: TYPE.PTR, name: known } }, name, said: known };
}
