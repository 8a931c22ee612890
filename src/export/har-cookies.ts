import type { HeaderList } from '../core/headers.ts';

/** A cookie as HAR has it. */
export interface HarCookie {
  readonly name: string;
  readonly value: string;
  readonly path?: string;
  readonly domain?: string;
  /** ISO 8601. */
  readonly expires?: string;
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
}

/** The cookies of a request's `Cookie` headers (RFC 6265, 4.2). */
export function requestCookies(headers: HeaderList): HarCookie[] {
  return valuesOf(headers, 'cookie')
    .flatMap((value) => value.split(';'))
    .map(pairOf)
    .filter(({ name, value }) => name !== '' || value !== '');
}

/** The cookies that a response sets, each with its attributes (RFC 6265, 4.1). */
export function responseCookies(headers: HeaderList): HarCookie[] {
  return valuesOf(headers, 'set-cookie').map((value) => {
    const [first = '', ...rest] = value.split(';');
    const attributes = new Map(rest.map(pairOf).map(({ name, value: set }) => [name.toLowerCase(), set]));
    const path = attributes.get('path');
    const domain = attributes.get('domain');
    const expires = Date.parse(attributes.get('expires') ?? '');
    return {
      ...pairOf(first),
      ...(path === undefined ? {} : { path }),
      ...(domain === undefined ? {} : { domain }),
      ...(Number.isNaN(expires) ? {} : { expires: new Date(expires).toISOString() }),
      httpOnly: attributes.has('httponly'),
      secure: attributes.has('secure'),
    };
  });
}

/** The values of all headers of a name (lower case). */
export function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

function pairOf(text: string): { name: string; value: string } {
  const equals = text.indexOf('=');
  if (equals === -1) return { name: text.trim(), value: '' };
  return { name: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() };
}
