/** What DNS labels and type numbers look like to people and in records. */

/** The mnemonics that resolvers are seen to ask for (IANA, DNS parameters); others are `TYPE<n>` (RFC 3597). */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [10, 'NULL'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [35, 'NAPTR'],
  [43, 'DS'],
  [48, 'DNSKEY'],
  [52, 'TLSA'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
  [257, 'CAA'],
]);

/** The text of a question's type: `A`, `HTTPS`, `TYPE1234`. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/**
 * The text of a name: lower case (ASCII), no dot at the end, the root as `.`. Bytes that are not printable and
 * dots within a label are written `\DDD` and `\.` (RFC 1035, 5.1), so that different names never look alike.
 */
export function nameText(labels: readonly string[]): string {
  if (labels.length === 0) return '.';
  return labels.map(labelText).join('.');
}

function labelText(label: string): string {
  return label
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replace(/[^!-~]|[.\\"();@$]/g, (char) => {
      const code = char.charCodeAt(0);
      return code > 0x20 && code < 0x7f ? `\\${char}` : `\\${String(code).padStart(3, '0')}`;
    });
}

/**
 * Whether a name can be the name of a host: letters, digits, `-`, and `_`, which some are known to use. One that
 * ends in a number (`127.0.0.1`, `0x7f.1`) is an address misspelt: with an address of its own it would come back
 * as one that the client never dialled.
 */
export function isHostName(labels: readonly string[]): boolean {
  const last = labels.at(-1);
  if (last === undefined || /^(\d+|0x[0-9a-f]*)$/i.test(last)) return false;
  return labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label));
}

/** The address that a reverse name (`4.3.2.1.in-addr.arpa`) asks for; undefined for every other name. */
export function reverseAddress(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  return match?.slice(1).reverse().join('.');
}
