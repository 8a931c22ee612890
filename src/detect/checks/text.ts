/** Shannon entropy of the characters of a text, in bits per character (0 for an empty text). */
export function entropy(text: string): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/**
 * What people write where a secret goes: words that say so, templates and ellipses. Four equal `x` or `*`
 * do not occur in random tokens of these lengths more often than once in some 10^5.
 */
const PLACEHOLDER =
  /example|placeholder|change[-_ ]?me|change[-_ ]?this|redacted|dummy|replace[-_ ]?|insert[-_ ]|your[-_ ]|[-_]here$|my[-_]?(?:secret|token|password|api)|x{4}|\*{3}|\.{3}|…|<|\$\{|\{\{|%\(|not[-_ ]?a?[-_ ]?real|<\/|todo|fixme|sample|foobar|lorem/i;

/** Whether a value stands for a secret rather than being one. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value) || /(.)\1{9}/.test(value);
}

/** Whether the body of a token with a known prefix can be real: random enough and not a placeholder. */
export function isTokenBody(body: string): boolean {
  if (!/[a-zA-Z]/.test(body) || entropy(body) < 2.8 || isPlaceholder(body)) return false;
  return /[0-9]/.test(body) || isScrambled(body);
}

/** Whether case changes as it never does in words: one in thirty short random tokens has no digit. */
export function isScrambled(body: string): boolean {
  const changes = body.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/g)?.length ?? 0;
  const isCamelCase = /^[_$]?[A-Za-z][a-z]{2,40}(?:[A-Z][a-z]{2,40}){1,12}$/.test(body);
  return changes * 3.5 >= body.length && !isCamelCase;
}

/** Like `isTokenBody` for alphabets without digits, where only entropy can tell words from keys. */
export function isRandom(body: string): boolean {
  return entropy(body) >= 3 && !isPlaceholder(body);
}

/** How many of lower case, upper case, digits and other characters a text uses. */
export function charKinds(text: string): number {
  return [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(text)).length;
}

/** A key that sits in hex or base64 data: images, hashes and lockfiles hold any short prefix by chance. */
export function insideBlob(text: string, start: number, end: number): boolean {
  return (
    /[A-Za-z0-9+/]{24}$/.test(text.slice(Math.max(0, start - 24), start)) ||
    /^[A-Za-z0-9+/]{24}/.test(text.slice(end, end + 24))
  );
}
