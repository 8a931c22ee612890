import { createHmac } from 'node:crypto';

/**
 * How a secret is shown and stored: `sk-ant-…9f3c (108)#ab12cd34` is a known harmless prefix, the last four
 * characters, the length, and a fingerprint by which two sightings of the same secret can be told to be the same.
 * The fingerprint is keyed (HMAC-SHA-256, first 8 hex), so that a record alone cannot be used to try guesses.
 */

/** Below this length only the length is shown: what is short can be guessed from its edges. */
const SHORT = 20;
const SHOWN_END = 4;

/** Vendors' prefixes that say of which kind a secret is, and nothing more. */
const KNOWN_PREFIX =
  /^(?:sk-(?:ant|proj|svcacct|admin|or|lf)-|sk-|[rps]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_|r8_|gsk_|xai-|pplx-|nvapi-|npm_|pypi-|dop_v1_|whsec_|eyJ)/;

/** The form of a masked secret, wherever it stands: prefix, last characters, length, fingerprint. */
export const MASKED = /(\S*)…(\S{4})? \((\d+)\)(?:#([0-9a-f]{8}))?/;

/** Masks one secret, without any scheme before it. */
export type MaskSecret = (secret: string) => string;

/** The first 8 hex digits of the secret's HMAC-SHA-256 under the installation's key. */
export function fingerprint(secret: string, key: Buffer): string {
  return createHmac('sha256', key).update(secret).digest('hex').slice(0, 8);
}

/** Makes the mask of an installation. The same secret always gives the same text. */
export function createMaskSecret(key: Buffer): MaskSecret {
  return (secret) => {
    if (secret.length < SHORT) return `… (${secret.length})`;
    const prefix = KNOWN_PREFIX.exec(secret)?.[0] ?? '';
    return `${prefix}…${secret.slice(-SHOWN_END)} (${secret.length})#${fingerprint(secret, key)}`;
  };
}
