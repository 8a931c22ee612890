import type { HeaderList } from '../core/headers.ts';

/** A body being read, whatever the protocol: pieces in order, then `done`. */
export interface BodyReader {
  /** True once the last piece has been handed out: nothing follows but trailers. */
  readonly done: boolean;
  /** Trailer fields, once done. */
  readonly trailers: HeaderList | undefined;
  /** A piece that is there already, or undefined (look at `done`, then wait with `read`). */
  poll(): Buffer | undefined;
  /** The next piece, or undefined at the end. Rejects when the peer breaks off before the end. */
  read(): Promise<Buffer | undefined>;
}

/** The body of a message that has none. */
export const EMPTY_BODY: BodyReader = {
  done: true,
  trailers: undefined,
  poll: () => undefined,
  read: () => Promise.resolve(undefined),
};
