import type { RequestFacts } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { BodyReader } from './body.ts';
import type { Claim } from './claim.ts';
import type { Framing } from './http1/framing.ts';
import type { Wire } from './wire.ts';

/** A request as a protocol has read it. */
export interface Inbound {
  readonly facts: Omit<RequestFacts, 'decision'>;
  readonly claim: Claim;
  readonly tls: boolean;
  /** Origin-form, or `*`. */
  readonly path: string;
  /** What goes on: end-to-end fields in HTTP/1.1 form. */
  readonly headers: HeaderList;
  readonly framing: Framing;
  readonly body: BodyReader;
  /** The client waits for a 100 (or a final answer) before it sends its body. */
  readonly expectsContinue: boolean;
  /** A WebSocket handshake: the wire on which messages follow, should the origin agree. */
  readonly upgrade: Wire | undefined;
}
