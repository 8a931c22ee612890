import { crc32 } from 'node:zlib';
import { isPlaceholder, isTokenBody } from './text.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The last six characters of a GitHub token: CRC32 of what stands before them, in base 62
 * (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/).
 */
export function githubChecksum(body: string): string {
  let rest = crc32(body);
  let out = '';
  for (let i = 0; i < 6; i++) {
    out = BASE62.charAt(rest % 62) + out;
    rest = Math.floor(rest / 62);
  }
  return out;
}

/**
 * Whether a GitHub token can be real. A right checksum settles it; a wrong one does not refute it, because
 * GitHub Enterprise, newer stateless tokens and mangled copies of live tokens have none.
 */
export function isGithubToken(value: string): boolean {
  const body = value.slice(value.indexOf('_') + 1);
  if (body.length === 36 && githubChecksum(body.slice(0, 30)) === body.slice(30)) return true;
  return isTokenBody(body);
}

/** Whether the first segment is a JOSE header: JSON with `alg` or `enc` (RFC 7515, RFC 7516). */
export function isJwt(value: string): boolean {
  const header = value.slice(0, value.indexOf('.'));
  const text = Buffer.from(header, 'base64url').toString('utf8');
  return /^\s*\{/.test(text) && /"(?:alg|enc)"\s*:/.test(text);
}

/** Whether base64 holds `user:password`, as in HTTP Basic (RFC 7617). */
export function isBasicCredential(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  if (colon < 0 || /[^\x20-\x7e\x80-\xff]/.test(text)) return false;
  const password = text.slice(colon + 1);
  return password.length >= 3 && !isPlaceholder(password) && !isWeakPassword(password);
}

const WEAK = new Set(
  (
    'password passwd pass pwd secret root admin user username test tests testing guest postgres mysql redis mongo ' +
    'default none null undefined true false string token key value hidden masked empty required optional prompt ' +
    'foo bar baz abc abc123 123456 12345678 qwerty pw passphrase mypassword mysecret password1 password123 docker'
  ).split(' '),
);

/** A word that stands in documentation and development setups, not a password that protects anything. */
export function isWeakPassword(value: string): boolean {
  return WEAK.has(value.toLowerCase()) || /^(.)\1*$/.test(value);
}
