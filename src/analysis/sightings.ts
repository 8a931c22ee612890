import type { SecretSighting } from '../core/analysis.ts';
import { isCredentialHeader, isHarmlessHeader } from '../core/credential-headers.ts';
import type { HeaderList } from '../core/headers.ts';
import { createMaskSecret } from '../core/mask.ts';
import type { Finding } from '../detect/types.ts';
import type { Scanner } from './decode/scan.ts';

type Kinds = Record<string, number>;

/** Collects what the detectors find in the parts of one exchange. */
export interface Sightings {
  /** Searches a part; gives the number of secrets in it. */
  scan(part: Part): number;
  /** The request's headers: credentials as a whole, and what stands in others. */
  headers(list: HeaderList): void;
  readonly secrets: readonly SecretSighting[];
  readonly pii: { readonly request: Kinds; readonly response: Kinds };
}

export interface Part {
  /** Where a finding is that begins at an offset of the text. */
  readonly where: (start: number) => string;
  readonly text: string;
  readonly contentType?: string | undefined;
  readonly from: 'client' | 'server';
  /** Offsets of findings mean something to readers of the record. */
  readonly places: boolean;
}

interface Tools {
  readonly scanner: Scanner;
  readonly fingerprint: (value: string) => string;
  readonly maskKey: Buffer;
}

/** `Bearer …`: the scheme is no part of a credential (RFC 9110, 11.4). */
const SCHEME = /^[A-Za-z][A-Za-z0-9-]* +(?=\S)/;

/** Makes a collection for one exchange. */
export function createSightings({ scanner, fingerprint, maskKey }: Tools): Sightings {
  const secrets = new Map<string, SecretSighting>();
  const pii: { request: Kinds; response: Kinds } = { request: {}, response: {} };
  const mask = createMaskSecret(maskKey);

  function add(sighting: SecretSighting): void {
    const key = `${sighting.where} ${sighting.kind} ${sighting.fingerprint}`;
    const known = secrets.get(key);
    secrets.set(key, known === undefined ? sighting : { ...known, count: (known.count ?? 1) + 1 });
  }

  function found(part: Part, finding: Finding): void {
    const { kind, masked, start, end } = finding;
    if (finding.class === 'pii') {
      const kinds = part.from === 'client' ? pii.request : pii.response;
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      return;
    }
    const where = part.where(start);
    const from = where.startsWith('message:') ? { from: part.from } : {};
    const place = part.places ? { start, end } : {};
    add({ kind, where, ...from, masked, fingerprint: finding.fingerprint ?? '', ...place });
  }

  function scan(part: Part): number {
    const { contentType } = part;
    const findings = scanner.scan(part.text, contentType === undefined ? {} : { contentType });
    for (const finding of findings) found(part, finding);
    return findings.filter((finding) => finding.class === 'secret').length;
  }

  return {
    scan,
    headers(list) {
      for (const [given, value] of list) {
        const name = given.toLowerCase();
        // It is for the proxy, which is gate, and goes no further.
        if (name === 'proxy-authorization' || value === '') continue;
        const where = `request.header:${name}`;
        // The name tells some secrets from other words, and must not make one of what is none.
        const text = isHarmlessHeader(name) ? value : `${name}: ${value}`;
        const secretsInIt = scan({ where: () => where, text, from: 'client', places: false });
        if (secretsInIt > 0 || !isCredentialHeader(name)) continue;
        for (const credential of name === 'cookie' ? cookies(value) : [value.replace(SCHEME, '')]) {
          const masked = mask(credential).replace(/#.*$/, '');
          add({ kind: 'credential_header', where, masked, fingerprint: fingerprint(credential) });
        }
      }
    },
    get secrets() {
      return [...secrets.values()];
    },
    pii,
  };
}

/** Below this length the record of a header shows no fingerprint either, by which a cookie could be found again. */
const SHORT_COOKIE = 20;

/** The long values of a Cookie header, each a credential by itself; all of it where none is long. */
function cookies(header: string): string[] {
  const values = header.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const long = values.filter((value) => value.length >= SHORT_COOKIE);
  return long.length > 0 ? long : [header];
}
