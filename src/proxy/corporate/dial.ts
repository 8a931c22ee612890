import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { messageOf } from '../../core/errors.ts';
import type { HeaderList } from '../../core/headers.ts';
import { classifyAddress } from '../../policy/address.ts';
import type { Cancel } from '../cancel.ts';
import { urlAuthority } from '../claim.ts';
import { UpstreamError } from '../errors.ts';
import { readHead, writeHead } from '../http1/head.ts';
import type { Limits } from '../limits.ts';
import type { CorporateProxy, Dialled, Through, Way } from '../upstream-call.ts';
import { dialFirst, secure } from '../upstream-dial.ts';
import { Wire } from '../wire.ts';

export interface ProxyDialDeps {
  readonly trust: () => tls.SecureContext;
  readonly limits: Limits;
  /** The addresses of the proxy itself, which no policy judges. */
  readonly addressesOf: (host: string) => Promise<readonly string[]>;
  /** Ports of this machine's loopback on which gate itself listens. */
  readonly ownPorts: ReadonlySet<number>;
}

export type DialThrough = (way: Way, through: Through, cancel: Cancel) => Promise<Dialled>;

/** Makes the dial through a corporate proxy: to the proxy, TLS to it where it wants that, and CONNECT. */
export function createProxyDial(deps: ProxyDialDeps): DialThrough {
  return async (way, through, cancel) => {
    const { proxy } = through;
    const started = performance.now();
    try {
      const raw = await reach(deps, proxy, cancel);
      const outer = proxy.tls
        ? await secure(raw, { target: proxy, h2: false }, deps.trust(), deps.limits.connectMs, cancel)
        : raw;
      const socket = through.absolute
        ? outer
        : await connectThrough(outer, raw, through, deps.limits, cancel);
      return { socket, raw, candidate: way, connectMs: performance.now() - started };
    } catch (error) {
      cancel.check();
      throw proxyError(proxy, error);
    }
  };
}

async function reach(deps: ProxyDialDeps, proxy: CorporateProxy, cancel: Cancel): Promise<Socket> {
  const addresses = await deps.addressesOf(proxy.host);
  cancel.check();
  // It would ask itself for the same again, for ever.
  if (deps.ownPorts.has(proxy.port) && addresses.some(isHere)) throw new Error(ITSELF);
  const candidates = addresses.map((address) => ({ address, port: proxy.port, pinned: false }));
  return (await dialFirst(candidates, deps.limits, cancel)).socket;
}

function isHere(address: string): boolean {
  const kind = classifyAddress(address);
  return kind === 'loopback' || kind === 'unspecified';
}

const ITSELF =
  'it is this gate itself: start gate where HTTP_PROXY, HTTPS_PROXY and ALL_PROXY do not name it, with `env -u` or in another shell';

/** RFC 9110 §9.3.6. The socket comes back with whatever followed the answer's head still in it. */
async function connectThrough(
  socket: Socket,
  raw: Socket,
  { proxy, target }: Through,
  limits: Limits,
  cancel: Cancel,
): Promise<Socket> {
  const authority = urlAuthority(target.host, target.port, 0);
  const wire = new Wire(socket, raw);
  cancel.undo = () => wire.reset();
  try {
    const text = writeHead(`CONNECT ${authority} HTTP/1.1`, [['Host', authority], ...proxyFields(proxy)]);
    wire.write(Buffer.from(text, 'latin1'))?.catch(() => undefined);
    const { headBytes: maxBytes, connectMs } = limits;
    const head = await readHead(wire, { strict: false, maxBytes, idleMs: connectMs, headMs: connectMs });
    const status = /^HTTP\/1\.[01] ([0-9]{3})/.exec(head?.first ?? '')?.[1];
    if (status?.startsWith('2') !== true) throw refused(status, authority);
    return wire.detach();
  } catch (error) {
    wire.destroy();
    throw error;
  } finally {
    cancel.undo = undefined;
  }
}

/** What a proxy is told besides the request. */
export function proxyFields({ authorization }: CorporateProxy): HeaderList {
  return authorization === undefined ? [] : [['Proxy-Authorization', authorization]];
}

function refused(status: string | undefined, authority: string): Error {
  if (status === undefined) return new Error('it did not answer CONNECT with HTTP');
  if (status === '407') return new Error(NEEDS_LOGIN);
  return new Error(`it refused CONNECT ${authority} with status ${status}`);
}

const NEEDS_LOGIN =
  'it wants a user and password, or others than it was given (407): put them into the proxy variable, as http://USER:PASSWORD@HOST:PORT';

/** A 407 to a request in absolute form is the proxy's own answer, and not for the client. */
export function loginNeeded(proxy: CorporateProxy): UpstreamError {
  return proxyError(proxy, new Error(NEEDS_LOGIN));
}

function proxyError(proxy: CorporateProxy, error: unknown): UpstreamError {
  return new UpstreamError('upstream_proxy', `the proxy ${proxy.label}: ${messageOf(error)}`, error);
}
