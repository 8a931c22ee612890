/** Sizes in bytes, times in milliseconds. There is no limit on the whole time of anything: agents stream for hours. */
export interface Limits {
  /** A request or response head, or the trailers of a body. */
  readonly headBytes: number;
  /** From the first byte of a request head (or ClientHello) to its last: slow-loris clients end here. */
  readonly headMs: number;
  /** A client that is connected and says nothing, before its first byte or between requests. */
  readonly clientIdleMs: number;
  /** After this silence of a client, a passthrough target whose server speaks first is tunnelled. */
  readonly serverFirstMs: number;
  /** A request body up to this size is made durable whole, before anything goes upstream. */
  readonly gatherBytes: number;
  /** A request body that is not complete after this time is streamed instead. */
  readonly gatherMs: number;
  /** The same for a body of unknown length: it may be one half of a conversation, which waits for its other half. */
  readonly gatherOpenMs: number;
  /** A client that has stopped sending its body, or reading its answer. */
  readonly clientStallMs: number;
  /** An origin that says nothing while its answer, or the rest of it, is awaited. */
  readonly upstreamIdleMs: number;
  readonly lookupMs: number;
  /** How long one address has for itself before the next is tried beside it (RFC 8305 §5). */
  readonly nextAddressMs: number;
  /** To connect to one address, and to shake hands over TLS. */
  readonly connectMs: number;
  /** How long an answer of the resolver is used. */
  readonly lookupTtlMs: number;
  /** How long an idle connection to an origin is kept. */
  readonly poolIdleMs: number;
  /** Idle connections kept for one origin. */
  readonly poolSize: number;
  /** How long a client that was answered early may go on sending before its connection is cut. */
  readonly lingerMs: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What holds where config.toml says nothing. */
export const DEFAULT_LIMITS: Limits = {
  headBytes: 64 * 1024,
  headMs: MINUTE,
  clientIdleMs: 10 * MINUTE,
  serverFirstMs: 500,
  gatherBytes: 1024 * 1024,
  gatherMs: 50,
  gatherOpenMs: 15,
  clientStallMs: 30 * MINUTE,
  upstreamIdleMs: 30 * MINUTE,
  lookupMs: 30 * SECOND,
  nextAddressMs: 250,
  connectMs: 30 * SECOND,
  lookupTtlMs: 30 * SECOND,
  poolIdleMs: 30 * SECOND,
  poolSize: 32,
  lingerMs: 2 * SECOND,
};
