/** What is measured, and with what load. */

export const MEGABYTE = 1024 * 1024;
/** Events of one stream, and the time between them. */
export const EVENTS = 40;
export const EVENT_EVERY_MS = 8;
/** New hosts of one slice of `hosts`, at most. */
export const HOSTS = 200;

export type ScenarioName = 'keepalive' | 'alone' | 'connect' | 'big' | 'events' | 'hosts';

export interface Scenario {
  readonly title: string;
  /** Requests under way at a time. */
  readonly lanes: number;
  readonly path: string;
  /** Bytes of each request's body. */
  readonly upload: number;
  /** A new connection, with TLS, for each request. */
  readonly fresh: boolean;
  /** A host never asked for before, for each request. */
  readonly newHosts: boolean;
}

const base = { path: '/small', upload: 1024, fresh: false, newHosts: false };

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  keepalive: { ...base, title: 'keep-alive, 1 kB, 32 connections', lanes: 32 },
  alone: { ...base, title: 'keep-alive, 1 kB, one connection', lanes: 1 },
  connect: { ...base, title: 'new connection + TLS each, 8 at a time', lanes: 8, fresh: true },
  big: { ...base, title: '1 MB answers', lanes: 4, path: '/big', upload: 0 },
  events: { ...base, title: 'SSE', lanes: 4, path: '/events' },
  hosts: { ...base, title: 'new hosts, one after the other', lanes: 1, fresh: true, newHosts: true },
};

/** What the load generator is told to do. */
export interface Order {
  readonly scenario: ScenarioName;
  readonly ms: number;
  /** Where the origin listens; the contenders are asked for names on the same port. */
  readonly originPort: number;
  /** Undefined: no proxy. */
  readonly proxyPort: number | undefined;
  /** Makes the names of new hosts unique. */
  readonly tag: string;
}

/** What came of it. Latencies in milliseconds. */
export interface Load {
  readonly exchanges: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** SSE only: from an event's sending to its arrival, and from the request to the answer's first byte. */
  readonly eventP50?: number;
  readonly eventP99?: number;
  readonly firstByte?: number;
}
