import type { HeaderList } from '../core/headers.ts';
import type { Framing } from './http1/framing.ts';

/** A response head on its way to the client: every field as it came, framing apart. */
export interface ReplyHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly framing: Framing;
}

/** The client's side of one exchange. Whatever is called here is released at once. */
export interface Reply {
  /** Holds writes back until `uncork`, so that a head and its first piece leave together. */
  cork(): void;
  uncork(): void;
  /** A 1xx head. */
  informational(head: ReplyHead): void;
  head(head: ReplyHead): void;
  /** A piece of the body; a promise when the client must be waited for. Rejects when it is gone. */
  data(chunk: Buffer): Promise<void> | undefined;
  /** The clean end of the message. */
  end(trailers: HeaderList | undefined): void;
  /** The connection (or stream) cannot be used again after this exchange. */
  closeAfter(): void;
  /** Breaks off, so that the client cannot take what it has for the whole. */
  reset(): void;
}
