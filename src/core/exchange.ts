import type { Decision } from './decision.ts';
import type { HeaderList } from './headers.ts';
import type { Outcome, Timing, TunnelVia, Via } from './outcome.ts';
import type { RequestRecord } from './record.ts';

/**
 * The seam between the engine (src/proxy), which speaks protocols, and the recorder (src/capture), which
 * makes what it says durable. Every promise is a permission: the engine releases bytes only after the promise
 * that covers them has resolved. A rejection means the audit trail failed: nothing more may be released.
 */

/** A request whose head has been read and decided on. */
export interface RequestFacts {
  readonly via: Via;
  readonly method: string;
  /** Absolute URL by the canonical host, default ports left out. Credentials in it are masked by the recorder. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Captured connections: the address that the client dialled. */
  readonly address?: string;
  readonly protocol: RequestRecord['protocol'];
  readonly headers: HeaderList;
  readonly decision: Decision;
}

/** What is known of the request body when the head is recorded. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer; readonly trailers?: HeaderList }
  /** More follows through `requestData`; `bytes` is what has arrived so far and may be empty. */
  | { readonly kind: 'open'; readonly bytes: Buffer };

export interface ResponseFacts {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: HeaderList;
  /** Absent when gate itself answered (denials, upstream failures). */
  readonly upstream?: { readonly address: string; readonly protocol?: string };
}

/** A 1xx head other than 101, which is a final one: the protocol is switched. */
export type InformationalFacts = Pick<ResponseFacts, 'status' | 'statusText' | 'headers'>;

export interface EndFacts {
  readonly outcome: Outcome;
  readonly trailers?: HeaderList;
  readonly error?: { readonly code: string; readonly message: string };
  readonly timing: Timing;
}

export interface TunnelFacts {
  readonly via: TunnelVia;
  readonly host: string;
  readonly port: number;
  readonly sni?: string;
  readonly decision: Decision;
}

export interface TunnelEnd {
  /** What left the jail, whoever opened the connection. */
  readonly bytesUp: number;
  /** What came in. */
  readonly bytesDown: number;
  readonly outcome: Outcome;
  readonly timing: Timing;
}

/** What ended before there was a request. Equal facts are counted together by the recorder. */
export interface RefusedFacts {
  readonly proto: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
  readonly reason: string;
  /** What a TLS client said, such as `unknown_ca`. */
  readonly alert?: string;
  /** How often; 1 where absent. */
  readonly count?: number;
}

export interface DnsFacts {
  readonly name: string;
  readonly qtype: string;
  /** The address given, or `NODATA`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`. */
  readonly answer: string;
}

/**
 * One exchange being recorded. Calls are made in order; none is made after `end`. Promises resolve when what was handed
 * over is written, which is at once unless `more` says that more comes right behind it and is waited for with it.
 */
export interface ExchangeRecorder {
  /** `<RUN>:<seq>`. */
  readonly id: string;
  /** A further piece of an open request body. Resolves when it is written, and durable within the first MiB. */
  requestData(chunk: Buffer): Promise<void>;
  /** The open request body is complete. Resolves when its trailers, where it has any, are flushed to the disk. */
  requestEnd(trailers?: HeaderList): Promise<void>;
  /** A head before the final one (100, 103 …). */
  informational(facts: InformationalFacts): Promise<void>;
  /** The final response head. */
  response(facts: ResponseFacts, more?: boolean): Promise<void>;
  /** A piece of the response body, as on the wire after transfer coding. */
  responseData(chunk: Buffer, more?: boolean): Promise<void>;
  /** One whole WebSocket message, decompressed; opcode as in RFC 6455. */
  message(from: 'client' | 'server', opcode: number, bytes: Buffer, more?: boolean): Promise<void>;
  /** Closes the exchange. Resolves when flushed to the disk; the last byte is released only then. */
  end(facts: EndFacts): Promise<void>;
}

/** One tunnel being recorded. */
export interface TunnelRecorder {
  readonly id: string;
  end(facts: TunnelEnd): Promise<void>;
}

export interface Recorder {
  /** Resolves when the head, with a whole body, is flushed to the disk. */
  request(facts: RequestFacts, body: RequestBody): Promise<ExchangeRecorder>;
  /** Resolves when it is certain that the tunnel's record can be written. */
  tunnel(facts: TunnelFacts): Promise<TunnelRecorder>;
  /** Written soon, in order, and flushed with the next flush; repeats within a second may be merged. */
  refused(facts: RefusedFacts): void;
  dns(facts: DnsFacts): void;
}
