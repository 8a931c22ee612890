import type { MaskSecret } from '../core/mask.ts';
import { createTextMask } from './mask-text.ts';

/** Replaces credentials in a URL; anything else in it stays byte for byte. */
export type MaskUrl = (url: string) => string;

/** Parameters that carry a credential whatever their value is. Compared in lower case without `-`, `_` and `.`. */
const SECRET_PARAMETERS = new Set([
  'key',
  'apikey',
  'accesskey',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'idtokenhint',
  'authtoken',
  'auth',
  'oauthtoken',
  'oauthtokensecret',
  'oauthsignature',
  'privatetoken',
  'sessiontoken',
  'sastoken',
  'bearer',
  'sig',
  'signature',
  'secret',
  'clientsecret',
  'clientassertion',
  'password',
  'passwd',
  'pwd',
  'pass',
  'jwt',
  'assertion',
  'code',
  'codeverifier',
  'subscriptionkey',
  'xamzsignature',
  'xamzcredential',
  'xamzsecuritytoken',
  'xgoogsignature',
  'xgoogcredential',
  'awsaccesskeyid',
  'googleaccessid',
]);

/** Whether a parameter of this name carries a credential. */
export function isSecretParameter(name: string): boolean {
  return SECRET_PARAMETERS.has(decoded(name).toLowerCase().replace(/[-_.]/g, ''));
}

/** Makes the mask for URLs: user information, parameters in query and fragment, shapes anywhere. */
export function createUrlMask(secret: MaskSecret): MaskUrl {
  const hidden = (value: string): string => encodeURIComponent(secret(decoded(value)));
  const shapes = createTextMask(hidden);
  return (url) => {
    const withoutUser = maskUserInfo(url, hidden);
    const at = withoutUser.search(/[?#]/);
    if (at === -1) return shapes(withoutUser);
    const parameters = withoutUser
      .slice(at)
      .replace(/([?#&;])([^=?#&;]*)=([^#&;]*)/g, (whole, mark: string, name: string, value: string) =>
        value !== '' && isSecretParameter(name) ? `${mark}${name}=${hidden(value)}` : whole,
      );
    return shapes(withoutUser.slice(0, at) + parameters);
  };
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
