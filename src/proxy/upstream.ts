import type { SecureContext } from 'node:tls';
import type { ResolveRule } from '../policy/resolve-rule.ts';
import { createProxyDial } from './corporate/dial.ts';
import type { ChooseProxy } from './corporate/environment.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { OpenOptions, Route, Upstream, UpstreamCall } from './upstream-call.ts';
import { type Connected, createDialer } from './upstream-dial.ts';
import { Http1Call } from './upstream-http1.ts';
import { createHttp2Opener } from './upstream-http2-open.ts';
import { createPool } from './upstream-pool.ts';
import { createResolver } from './upstream-resolver.ts';
import { Wire } from './wire.ts';

export interface UpstreamDeps {
  readonly resolve: readonly ResolveRule[];
  /** The complete trust list, parsed when it is first needed. */
  readonly trust: () => SecureContext;
  readonly limits?: Partial<Limits>;
  /** The user's corporate proxies; none where absent. */
  readonly proxyFor?: ChooseProxy;
  /** Ports of this machine's loopback on which gate itself listens; none where absent. */
  readonly ownPorts?: ReadonlySet<number>;
  /** Finds the addresses of a name; the machine's own resolver where absent. */
  readonly resolveName?: (host: string) => Promise<readonly string[]>;
}

/** Makes the way out: gate's own resolution, verified TLS, and connections kept per origin. */
export function createUpstream(deps: UpstreamDeps): Upstream {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const { resolve: rules, trust, resolveName, proxyFor = () => undefined, ownPorts = new Set() } = deps;
  const resolver = createResolver({
    rules,
    limits,
    proxyFor,
    ...(resolveName === undefined ? {} : { resolveName }),
  });
  const dialThrough = createProxyDial({ trust, limits, addressesOf: resolver.addressesOf, ownPorts });
  const dialer = createDialer(trust, limits, dialThrough);
  const pool = createPool(limits);
  const http2 = createHttp2Opener(dialer, limits);

  const openHttp1 = async (
    route: Route,
    options: OpenOptions,
    key: string,
    connected: Connected | undefined,
  ): Promise<UpstreamCall> => {
    const mayReuse = connected === undefined && !options.fresh && !options.once;
    const idle = mayReuse ? pool.take(key, route.candidates) : undefined;
    if (idle !== undefined) return new Http1Call({ connection: idle, reused: true, pool, key, limits });
    const { socket, raw, ...made } =
      connected ?? (await dialer.connect({ ...route, h2: false }, options.cancel));
    const connection = { ...made, wire: new Wire(socket, raw) };
    return new Http1Call({ connection, reused: false, pool, key, limits });
  };

  const open: Upstream['open'] = async (route, options) => {
    const key = `${route.tls ? 'tls' : 'tcp'} ${route.target.host} ${route.target.port}`;
    try {
      const opened = route.h2 && route.tls ? await http2.open(route, options, key) : undefined;
      if (opened?.call !== undefined) return opened.call;
      return await openHttp1(route, options, key, opened?.connected);
    } catch (error) {
      resolver.forget(route.target);
      throw error;
    }
  };

  const stop = (): void => {
    pool.stop();
    http2.stop();
  };
  return { lookup: resolver.lookup, open, dial: dialer.dial, stop };
}
