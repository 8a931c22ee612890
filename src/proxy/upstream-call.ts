import type { Socket } from 'node:net';
import type { HeaderList } from '../core/headers.ts';
import type { Candidate, Target } from '../core/policy.ts';
import type { BodyReader } from './body.ts';
import type { Cancel } from './cancel.ts';
import type { Framing } from './http1/framing.ts';
import type { Wire } from './wire.ts';

/** What is going to be spoken to a target; `tunnel`: bytes that only the two ends understand. */
export type Speaks = 'https' | 'http' | 'tunnel';

/** A proxy of the user's network, for gate's own connections. */
export interface CorporateProxy {
  /** `http://proxy.example:3128`, without its credentials. */
  readonly label: string;
  /** The proxy itself is spoken to over TLS. */
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** How a corporate proxy is asked for a target. */
export interface Through {
  readonly proxy: CorporateProxy;
  readonly target: Target;
  /** By a request in absolute form; by CONNECT where false. */
  readonly absolute: boolean;
}

/** What is dialled: a vetted address, or (`through`) a proxy, whose label is then the address. */
export interface Way extends Candidate {
  readonly through?: Through;
}

/** Whether an open connection goes where may be dialled now: lists may have changed since it was made. */
export function leadsTo(open: Candidate, candidates: readonly Candidate[]): boolean {
  return candidates.some(({ address, port }) => address === open.address && port === open.port);
}

export interface Lookup {
  readonly candidates: readonly Candidate[];
  /** The target is reached through a proxy, which looks its name up: nothing was asked, there is no candidate. */
  readonly way?: Way;
  /** Absent when nothing had to be asked. */
  readonly dnsMs?: number;
}

/** One way to an origin: what may be dialled, and what is spoken there. */
export interface Route {
  readonly target: Target;
  readonly tls: boolean;
  /** The client speaks HTTP/2: the origin is offered it first. */
  readonly h2: boolean;
  readonly candidates: readonly Way[];
}

/** A request as it goes out: end-to-end fields only, in HTTP/1.1 form. */
export interface OutgoingRequest {
  readonly method: string;
  /** Origin-form, or `*`. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly framing: Framing;
}

export interface IncomingResponse {
  readonly status: number;
  readonly statusText: string;
  /** As on the wire. */
  readonly headers: HeaderList;
  readonly framing: Framing;
  readonly body: BodyReader;
}

/** One request on its way to an origin. What rejects, rejects with {@link UpstreamError}. */
export interface UpstreamCall {
  readonly address: string;
  readonly protocol: string;
  /** The connection has served before: it may have died of idleness. */
  readonly reused: boolean;
  /** Whether any byte of an answer has come. */
  readonly answered: boolean;
  readonly connectMs: number | undefined;
  readonly tlsMs: number | undefined;
  readonly firstByteMs: number | undefined;
  /** Sends the head, and the body where it is whole. */
  send(request: OutgoingRequest, whole: Buffer | undefined, trailers?: HeaderList): void;
  /** Sends a piece of an open body; resolves when more may follow. Never rejects: a failure shows in `response`. */
  data(chunk: Buffer): Promise<void> | undefined;
  /** Ends an open body. */
  finish(trailers: HeaderList | undefined): void;
  /** The next head: informational ones (1xx), then the final one with its body. */
  response(): Promise<IncomingResponse>;
  /** After a 101: the wire, which is then the caller's. */
  upgrade(): Wire;
  /** The answer was read to its end: the connection may serve again. */
  release(): void;
  /** Cuts the call off. */
  abort(): void;
}

/** A connection to a vetted address, or through a proxy to what only that proxy can look up. */
export interface Dialled {
  readonly socket: Socket;
  /** The TCP socket, where `socket` is not one itself. */
  readonly raw?: Socket;
  readonly candidate: Way;
  readonly connectMs: number;
}

export interface OpenOptions {
  /** Not on a connection that has served before: one such has just failed. */
  readonly fresh: boolean;
  /** The body cannot be sent twice, so an idle HTTP/1.1 connection, which may be dead, will not do. */
  readonly once: boolean;
  readonly cancel: Cancel;
}

/** The way out. The engine asks for addresses, has them vetted, and dials only those it is then allowed. */
export interface Upstream {
  lookup(target: Target, speaks: Speaks): Promise<Lookup>;
  /** A way to send one request. Rejects with UpstreamError, or Cancelled. */
  open(route: Route, options: OpenOptions): Promise<UpstreamCall>;
  /** A plain TCP connection, for tunnels. */
  dial(candidates: readonly Way[], cancel: Cancel): Promise<Dialled>;
  stop(): void;
}
