import type { MaskSecret } from '../core/mask.ts';
import { createTextMask } from './mask-text.ts';

/** Replaces credentials in a URL; anything else in it stays byte for byte. */
export type MaskUrl = (url: string) => string;

/** Parameters that carry a credential whatever their value is. Compared in lower case, letters and digits only. */
const SECRET_PARAMETERS = new Set([
  'key',
  'idtokenhint',
  'auth',
  'oauthsignature',
  'bearer',
  'sig',
  'pwd',
  'pass',
  'jwt',
  'clientassertion',
  'assertion',
  'code',
  'codeverifier',
  'subscriptionkey',
  'xamzcredential',
  'awsaccesskeyid',
  'googleaccessid',
  'jsessionid',
  'phpsessid',
]);
/** `github_token`, `client_secret`, `X-Amz-Signature`, `a[password]` … */
const SECRET_PARAMETER =
  /(?:token|secret|password|passwd|passphrase|credentials?|signature|(?:api|access|secret|private|auth|signing)key)$/;
/** Named like credentials, and cursors of a list. */
const CURSOR = /(?:page|next|continuation|cursor|sync)token$/;

/** Whether a parameter of this name carries a credential. */
export function isSecretParameter(name: string): boolean {
  const plain = decoded(name)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return SECRET_PARAMETERS.has(plain) || (SECRET_PARAMETER.test(plain) && !CURSOR.test(plain));
}

/** In how many layers of percent-encoding a credential is looked for. */
const LAYERS = 3;

/** `;name=value` of a path segment; parameters of query and fragment. */
const IN_PATH = /(;)([^=;/]*)=([^;/]*)/g;
const IN_QUERY = /([?#&;])([^=?#&;]*)=([^#&;]*)/g;

/** Makes the mask for URLs: user information, parameters in path, query and fragment, shapes anywhere. */
export function createUrlMask(secret: MaskSecret): MaskUrl {
  const hidden = (value: string): string => encodeURIComponent(secret(decoded(value)));
  const shapes = createTextMask(hidden);
  const text = createTextMask(secret);
  const maskPair = (whole: string, mark: string, name: string, value: string): string =>
    value !== '' && isSecretParameter(name) ? `${mark}${name}=${hidden(value)}` : whole;
  const maskLayer = (url: string, layers: number): string => {
    const withoutUser = maskUserInfo(url, hidden);
    const query = withoutUser.search(/[?#]/);
    const end = query === -1 ? withoutUser.length : query;
    const masked =
      withoutUser.slice(0, end).replace(IN_PATH, maskPair) +
      withoutUser.slice(end).replace(IN_QUERY, maskPair);
    return shapes(layers === 0 ? masked : masked.replace(/[^/?#&;=]+/g, (piece) => maskPiece(piece, layers)));
  };
  /** A value or a segment that is percent-encoded is looked at decoded, and stays as it was if nothing is in it. */
  const maskPiece = (piece: string, layers: number): string => {
    if (!piece.includes('%')) return piece;
    const plain = decoded(piece);
    const masked = /[=%]/.test(plain) ? maskLayer(plain, layers - 1) : text(plain);
    return masked === plain ? piece : encodeURIComponent(masked);
  };
  return (url) => maskLayer(url, LAYERS);
}

function maskUserInfo(url: string, hidden: (value: string) => string): string {
  return url.replace(
    /^([a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)@/i,
    (_, scheme: string | undefined, user: string) => {
      const colon = user.indexOf(':');
      // A name alone is often the token itself (https://TOKEN@host); with a password, the name is only a name.
      const shown = colon === -1 ? hidden(user) : `${user.slice(0, colon)}:${hidden(user.slice(colon + 1))}`;
      return `${scheme ?? ''}//${shown}@`;
    },
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    // Not valid percent-encoding: taken as it stands.
    return value;
  }
}
