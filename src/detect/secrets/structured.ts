import { entropy, isPlaceholder, isTokenBody } from '../checks/text.ts';
import { isBasicCredential, isJwt, isWeakPassword } from '../checks/tokens.ts';
import type { Kind } from '../types.ts';

/** `user:password@` of a URL; a password that is a template, a dictionary word or the user's name is no secret. */
function isUrlPassword(value: string): boolean {
  const inner = /:\/\/([^:@]{0,120}):(.{1,256})@[^@]*$/.exec(value);
  const [user, password] = [inner?.[1] ?? '', inner?.[2] ?? ''];
  return (
    password.length >= 3 &&
    password !== user &&
    !isPlaceholder(password) &&
    !isWeakPassword(password) &&
    !/^[$%{[]/.test(password)
  );
}

function isKeyBlock(value: string): boolean {
  const lines = value.replace(/-----[^-]{0,60}-----/g, '').split(/\\r|\\n|\s/);
  // OpenSSH keys hold runs of A, which elsewhere would be a placeholder
  const longest = lines
    .reduce((best, line) => (line.length > best.length ? line : best), '')
    .replace(/A{4,}/g, '');
  return longest.length >= 24 && entropy(longest) >= 3 && !isPlaceholder(longest);
}

/** `curl -u user:password`: the flag is short, so the command must be near. */
function isCurl(value: string, { text, start }: { text: string; start: number }): boolean {
  return (
    !isPlaceholder(value) &&
    !isWeakPassword(value) &&
    /\b(?:curl|http|https|wget)\b[^\n]{0,300}$/.test(text.slice(Math.max(0, start - 320), start))
  );
}

/** Secrets that are recognised by their structure. */
export const STRUCTURED: readonly Kind[] = [
  // RFC 7468 and OpenSSH's and PGP's forms; newlines may be escaped; a block that was cut still counts
  {
    kind: 'private_key',
    class: 'secret',
    rank: 0,
    anchors: ['-----begin '],
    left: 'none',
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[\s\\rn]{0,8}(?:Proc-Type|DEK-Info): ?[A-Z0-9,-]{4,90}){0,2}[A-Za-z0-9+/=\s\\:.,"']{40,12000}(?:-----END [A-Z0-9 ]{5,40}-----)?/,
    check: isKeyBlock,
    show: 27,
  },
  // RFC 7519
  {
    kind: 'jwt',
    class: 'secret',
    rank: 3,
    anchors: ['eyj'],
    pattern: /eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{16,1400}(?![A-Za-z0-9_-])/,
    check: isJwt,
    show: 3,
  },
  // RFC 3986, section 3.2.1, and database URLs. The whole authority is the span: it is what grants access
  {
    kind: 'url_credentials',
    class: 'secret',
    rank: 3,
    anchors: ['://'],
    back: { set: 'a-zA-Z0-9+.-', max: 24 },
    left: 'none',
    pattern:
      /[a-zA-Z][a-zA-Z0-9+.-]{1,23}:\/\/[^\s:@/"'`<>\\]{0,120}:[^\s/"'`<>\\]{1,256}@[A-Za-z0-9.[\]-]{1,255}(?::[0-9]{1,5})?/,
    check: isUrlPassword,
    show: 0,
  },
  // RFC 7617
  {
    kind: 'basic_auth',
    class: 'secret',
    rank: 3,
    anchors: ['basic '],
    pattern: /basic {1,3}([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])/i,
    check: isBasicCredential,
    show: 0,
  },
  // RFC 6750
  {
    kind: 'bearer_token',
    class: 'secret',
    rank: 4,
    anchors: ['bearer '],
    pattern: /bearer {1,3}([A-Za-z0-9._~+/-]{20,2000}={0,2})(?![A-Za-z0-9])/i,
    check: (value) => isTokenBody(value),
    show: 0,
  },
  // other schemes in the same header: `token` (GitHub), `ApiKey`, `Key`, or none at all
  {
    kind: 'authorization',
    class: 'secret',
    rank: 4,
    anchors: ['authorization'],
    left: 'alnum',
    pattern:
      /authorization["']{0,2} {0,2}[:=] {0,2}["']?(?:(?:token|apikey|api-key|key|bot|oauth) {1,2}|(?!basic|bearer|digest|negotiate))([A-Za-z0-9._~+/-]{20,2000}={0,2})(?![A-Za-z0-9])/i,
    check: isTokenBody,
    show: 0,
  },
  {
    kind: 'password',
    class: 'secret',
    rank: 4,
    anchors: [' -p'],
    left: 'none',
    pattern: / -p["']?([^\s"'$<>/-][^\s"'$<>]{5,63})/,
    check: (value, { text, start }) =>
      !isPlaceholder(value) &&
      !isWeakPassword(value) &&
      /[0-9]/.test(value) &&
      /\b(?:mysql\w{0,12}|mariadb|sshpass)\b[^\n]{0,200}$/.test(text.slice(Math.max(0, start - 220), start)),
    show: 0,
  },
  {
    kind: 'basic_auth',
    class: 'secret',
    rank: 4,
    anchors: [' -u ', ' --user '],
    left: 'none',
    pattern: / (?:-u|--user) {1,3}["']?[^\s:"'`$]{1,64}:([^\s"'`$]{4,128})/,
    check: isCurl,
    show: 0,
  },
];
