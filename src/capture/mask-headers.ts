import { isMaskedHeader } from '../core/credential-headers.ts';
import type { HeaderList } from '../core/headers.ts';
import type { MaskSecret } from '../core/mask.ts';
import type { MaskText } from './mask-text.ts';
import type { MaskUrl } from './mask-url.ts';

interface Masks {
  readonly secret: MaskSecret;
  readonly text: MaskText;
  readonly url: MaskUrl;
}

/** Headers that hold a URL. */
const URL_HEADERS = new Set([
  'location',
  'content-location',
  'referer',
  'refresh',
  'link',
  ':path',
  'origin',
]);
/** A scheme before the credential (RFC 9110, 11.4). */
const SCHEME = /^([A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]*) +(\S.*)$/s;

/** Makes the mask for header lists. Names, order and everything that is no credential stay as they were. */
export function createHeaderMask(masks: Masks): (list: HeaderList) => HeaderList {
  return (list) => list.map(([name, value]) => [name, maskValue(name.toLowerCase(), value, masks)]);
}

function maskValue(name: string, value: string, masks: Masks): string {
  if (value === '') return value;
  if (name === 'cookie') return maskPairs(value, masks.secret);
  if (name === 'set-cookie') return maskSetCookie(value, masks.secret);
  if (isMaskedHeader(name)) return maskCredential(value, masks.secret);
  if (URL_HEADERS.has(name)) return masks.url(value);
  return masks.text(value);
}

/** `Bearer …`, `Basic …`, or a bare secret. */
function maskCredential(value: string, secret: MaskSecret): string {
  const [, scheme, rest] = SCHEME.exec(value) ?? [];
  if (scheme === undefined || rest === undefined) return secret(value);
  // The last characters of base64 are the end of a password; those of a digest or a signature say nothing.
  if (/^basic$/i.test(scheme)) return `${scheme} ${withoutEnd(secret(rest))}`;
  return `${scheme} ${secret(rest)}`;
}

function withoutEnd(masked: string): string {
  return masked.replace(/^.*…\S* \(/, '… (');
}

/** `a=b; c=d`: names stay, values are masked. */
function maskPairs(value: string, secret: MaskSecret): string {
  return value
    .split(';')
    .map((pair) => maskPair(pair, secret))
    .join(';');
}

/** The first pair is the cookie, the others are its attributes (RFC 6265, 4.1). */
function maskSetCookie(value: string, secret: MaskSecret): string {
  const end = value.indexOf(';');
  if (end === -1) return maskPair(value, secret);
  return maskPair(value.slice(0, end), secret) + value.slice(end);
}

function maskPair(pair: string, secret: MaskSecret): string {
  const equals = pair.indexOf('=');
  const start = equals === -1 ? pair.length - pair.trimStart().length : equals + 1;
  const content = pair.slice(start);
  return content === '' ? pair : pair.slice(0, start) + secret(content);
}
