import { connect, type Socket } from 'node:net';
import tls from 'node:tls';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Candidate } from '../core/policy.ts';
import { isIpLiteral } from '../policy/host.ts';
import { Cancel, Cancelled } from './cancel.ts';
import { UpstreamError } from './errors.ts';
import type { Limits } from './limits.ts';
import { tlsFailure } from './tls-failure.ts';
import type { Dialled, Route, Through, Way } from './upstream-call.ts';

/** A connection on which HTTP can be spoken. */
export interface Connected extends Dialled {
  /** The TCP socket, where `socket` is TLS on top of it. */
  readonly raw: Socket;
  readonly tlsMs: number | undefined;
  /** The origin chose HTTP/2. */
  readonly h2: boolean;
}

export interface Dialer {
  dial(candidates: readonly Way[], cancel: Cancel): Promise<Dialled>;
  connect(route: Route, cancel: Cancel): Promise<Connected>;
}

/** Gets a socket through a corporate proxy. */
type DialThrough = (way: Way, through: Through, cancel: Cancel) => Promise<Dialled>;

/** Makes the stage that dials: TCP to vetted addresses in order, then TLS that is always verified. */
export function createDialer(
  trust: () => tls.SecureContext,
  limits: Limits,
  dialThrough: DialThrough,
): Dialer {
  const dial: Dialer['dial'] = (candidates, cancel) => {
    const [way] = candidates;
    if (way?.through !== undefined) return dialThrough(way, way.through, cancel);
    return dialFirst(candidates, limits, cancel);
  };

  const connectRoute: Dialer['connect'] = async (route, cancel) => {
    const dialled = await dial(route.candidates, cancel);
    const raw = dialled.raw ?? dialled.socket;
    if (!route.tls) return { ...dialled, raw, tlsMs: undefined, h2: false };
    // Parsing the roots, once, is gate's time and not the origin's.
    const secureContext = trust();
    const started = performance.now();
    const socket = await secure(dialled.socket, route, secureContext, limits.connectMs, cancel);
    const tlsMs = performance.now() - started;
    return { ...dialled, socket, raw, tlsMs, h2: socket.alpnProtocol === 'h2' };
  };

  return { dial, connect: connectRoute };
}

/**
 * Dials addresses in order, each a little after the one before has not answered or at once when it has failed; the
 * first to connect wins and the others are dropped, so that a dead IPv6 route costs a moment and not a timeout.
 */
export function dialFirst(
  candidates: readonly Candidate[],
  limits: Limits,
  cancel: Cancel,
): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const tries = new Set<Cancel>();
    let next = 0;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    let failure = new UpstreamError('connect_failed', 'there is no address to dial');

    const settle = (tell: () => void): void => {
      clearTimeout(timer);
      settled = true;
      cancel.undo = undefined;
      for (const other of tries) other.stop('client_aborted');
      tell();
    };
    const start = (): void => {
      clearTimeout(timer);
      const candidate = candidates[next];
      next += 1;
      if (candidate === undefined) {
        if (tries.size === 0) settle(() => reject(failure));
        return;
      }
      const attempt = new Cancel();
      tries.add(attempt);
      timer = setTimeout(start, limits.nextAddressMs);
      dialOne(candidate, limits.connectMs, attempt).then(
        (dialled) => {
          tries.delete(attempt);
          if (settled) dialled.socket.destroy();
          else settle(() => resolve(dialled));
        },
        (error: unknown) => {
          tries.delete(attempt);
          failure = asUpstreamError(error, `${candidate.address} port ${candidate.port}`);
          if (!settled) start();
        },
      );
    };
    cancel.undo = () => settle(() => reject(new Cancelled(cancel.outcome ?? 'client_aborted')));
    if (cancel.outcome === undefined) start();
  });
}

function asUpstreamError(error: unknown, where: string): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = codeOf(error) === 'ETIMEDOUT' ? 'timeout' : 'connect_failed';
  return new UpstreamError(code, `${where} cannot be reached: ${messageOf(error)}`, error);
}

function dialOne(candidate: Candidate, timeoutMs: number, cancel: Cancel): Promise<Dialled> {
  const started = performance.now();
  const socket = connect({ host: candidate.address, port: candidate.port, allowHalfOpen: true });
  socket.setNoDelay(true);
  const where = `${candidate.address} port ${candidate.port}`;
  const ready = untilReady(
    socket,
    'connect',
    timeoutMs,
    `${where} did not answer within ${timeoutMs} ms`,
    cancel,
  );
  return ready.then(() => ({ socket, candidate, connectMs: performance.now() - started }));
}

/** Speaks TLS on a connection, verified; rejects with UpstreamError `tls_invalid` where it cannot be trusted. */
export async function secure(
  socket: Socket,
  route: { readonly target: { readonly host: string }; readonly h2: boolean },
  secureContext: tls.SecureContext,
  timeoutMs: number,
  cancel: Cancel,
): Promise<tls.TLSSocket> {
  const { host } = route.target;
  // An HTTP/1.1 client's request is sent as it wrote it; only an HTTP/2 client's loses nothing by HTTP/2.
  const ALPNProtocols = route.h2 ? ['h2', 'http/1.1'] : ['http/1.1'];
  // RFC 6066 §3: an address is no server name; `host` is then what the certificate is checked against.
  const name = isIpLiteral(host) ? { host } : { host, servername: host };
  const secured = tls.connect({ socket, secureContext, ALPNProtocols, ...name });
  const late = `${host} did not finish its TLS handshake within ${timeoutMs} ms`;
  try {
    await untilReady(secured, 'secureConnect', timeoutMs, late, cancel);
    return secured;
  } catch (error) {
    socket.destroy();
    if (error instanceof UpstreamError) throw error;
    throw tlsFailure(host, error);
  }
}

/** Waits for `connect` or `secureConnect`; the socket is destroyed on every other end. */
function untilReady(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
  late: string,
  cancel: Cancel,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      cancel.undo = undefined;
      socket.off(event, onReady);
      socket.off('close', onClose);
      if (error === undefined) {
        socket.off('error', settle);
        resolve();
        return;
      }
      // The error listener stays: a late error of a dead socket must not end the process.
      socket.destroy();
      reject(error);
    };
    const onReady = (): void => settle();
    const onClose = (): void => settle(new Error('the connection was closed'));
    const timer = setTimeout(() => settle(new UpstreamError('timeout', late)), timeoutMs);
    socket.on(event, onReady);
    socket.on('close', onClose);
    socket.on('error', settle);
    cancel.undo = () => settle(new Error('stopped'));
  });
}
