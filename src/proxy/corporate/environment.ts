import { EXIT, GateError } from '../../core/errors.ts';
import type { Target } from '../../core/policy.ts';
import { canonicalHost } from '../../policy/host.ts';
import type { CorporateProxy, Speaks } from '../upstream-call.ts';
import { parseNoProxy } from './no-proxy.ts';

/** Gives the proxy by which a target is to be reached; undefined for those that are dialled directly. */
export type ChooseProxy = (target: Target, speaks: Speaks) => CorporateProxy | undefined;

const LOOPBACK = /^(?:localhost|.*\.localhost|127\.[0-9.]+|::1)$/;

/**
 * Reads the proxy variables of the user's own environment, lower case before upper case as curl does. Loopback is
 * always direct. `ALL_PROXY` counts where it is an HTTP proxy; it often names a SOCKS one beside the others. Throws
 * GateError `bad_proxy` (usage) for a proxy that cannot be used: going past it would not be what the user meant.
 */
export function corporateProxies(env: NodeJS.ProcessEnv): ChooseProxy {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const all = read('ALL_PROXY');
  const rest = all !== undefined && isHttp(all) ? proxyOf('ALL_PROXY', all) : undefined;
  const named = (name: string) => {
    const value = read(name);
    return value === undefined ? rest : proxyOf(name, value);
  };
  const https = named('HTTPS_PROXY');
  const http = named('HTTP_PROXY');
  const isExempt = parseNoProxy(read('NO_PROXY') ?? '');
  return (target, speaks) => {
    const proxy = speaks === 'http' ? http : https;
    return proxy === undefined || LOOPBACK.test(target.host) || isExempt(target) ? undefined : proxy;
  };
}

function isHttp(value: string): boolean {
  return !value.includes('://') || /^https?:\/\//i.test(value);
}

function proxyOf(name: string, value: string): CorporateProxy {
  const url = parseUrl(value.includes('://') ? value : `http://${value}`);
  const host = url === undefined ? undefined : canonicalHost(url.hostname);
  if (url === undefined || host === undefined || !isHttp(value)) {
    // The value may hold a password.
    throw new GateError(
      'bad_proxy',
      `cannot use the proxy in ${name}: gate needs http://HOST:PORT or https://HOST:PORT`,
      {
        exitCode: EXIT.usage,
        hint: `${name}=http://proxy.example:3128, or unset ${name} to connect directly`,
      },
    );
  }
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  const label = `${url.protocol}//${url.hostname}:${port}`;
  const authorization = basic(url);
  return { label, tls, host, port, ...(authorization === undefined ? {} : { authorization }) };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function basic({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`, 'utf8').toString('base64')}`;
}

/** A lone percent sign is part of a password that nobody encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
