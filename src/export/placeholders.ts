import type { HeaderList } from '../core/headers.ts';

/** A credential that the record does not have, and the variable that stands for it. */
export interface Placeholder {
  readonly name: string;
  /** As it is recorded: prefix, last characters, length, fingerprint. */
  readonly masked: string;
  /** Where it was met first: `authorization of api.example.com`. */
  readonly where: string;
  /** Stands in a URL, where it must be percent-encoded. */
  readonly inUrl: boolean;
}

/** Gives every masked credential a variable; the same credential in the same place gets the same one. */
export interface Placeholders {
  /** A URL with its variable in the place of each masked credential. */
  url(url: string, host: string): string;
  headers(list: HeaderList, host: string): HeaderList;
  /** In the order in which they were met. */
  readonly known: readonly Placeholder[];
}

/** A mask in a header. Genuine header text cannot have the ellipsis: it is latin1. */
const MASK = /[^\s=:;,"'()]*…(?:\S{4})? \(\d+\)(?:#[0-9a-f]{8})?/g;
/** The same, percent-encoded as src/capture/mask-url.ts writes it, with the parameter that it is the value of. */
const URL_MASK =
  /(?:(?<=[?&;#])([^=?#&;]*)=)?[\w.~-]*%E2%80%A6(?:(?:[\w.~!*'()-]|%[0-9A-F]{2}){1,40}?)?%20\(\d+\)(?:%23[0-9a-f]{8})?/g;

/** Makes the names for one export; `write` puts a name into a text, as `$NAME` unless told otherwise. */
export function createPlaceholders(write: (name: string) => string = (name) => `$${name}`): Placeholders {
  const byMask = new Map<string, Placeholder>();
  const names = new Set<string>();

  function nameFor(wanted: string, masked: string, where: string, inUrl: boolean): string {
    const base = variable(wanted);
    const key = `${base} ${masked}`;
    const met = byMask.get(key);
    if (met !== undefined) return write(met.name);
    let name = base;
    for (let n = 2; names.has(name); n++) name = `${base}_${n}`;
    names.add(name);
    byMask.set(key, { name, masked, where, inUrl });
    return write(name);
  }

  function url(text: string, host: string): string {
    return text.replace(URL_MASK, (found, parameter: string | undefined) => {
      const start = parameter === undefined ? '' : `${parameter}=`;
      const wanted = parameter === undefined || parameter === '' ? 'url_secret' : parameter;
      const masked = decodeURIComponent(found.slice(start.length));
      return start + nameFor(wanted, masked, `${wanted} in a URL of ${host}`, true);
    });
  }

  const header = (name: string, value: string, host: string): string =>
    url(
      value.replace(MASK, (masked, at: number) => {
        const wanted = /cookie$/i.test(name) ? `${name}_${cookieAt(value, at)}` : name;
        return nameFor(wanted, masked, `${name} of ${host}`, false);
      }),
      host,
    );

  return {
    url,
    headers: (list, host) => list.map(([name, value]) => [name, header(name, value, host)]),
    get known() {
      return [...byMask.values()];
    },
  };
}

/** The name of the cookie whose value begins at a place. */
function cookieAt(value: string, at: number): string {
  return /([^;=\s]*)=$/.exec(value.slice(0, at))?.[1] ?? '';
}

/** `x-api-key` is `X_API_KEY`. */
function variable(text: string): string {
  const name = text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 60);
  return name === '' || /^\d/.test(name) ? `SECRET_${name}`.replace(/_$/, '') : name;
}
