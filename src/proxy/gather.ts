import type { RequestBody } from '../core/exchange.ts';
import type { BodyReader } from './body.ts';
import type { Inbound } from './inbound.ts';
import type { Limits } from './limits.ts';

/** What of a request body is known when the request is recorded. */
export interface Gathered {
  readonly bytes: Buffer;
  readonly complete: boolean;
  /** The client broke off, or sent what is no body. */
  readonly failure: Error | undefined;
  /** A read that was under way when the time was up: its piece comes next. */
  readonly pending: Promise<Buffer | undefined> | undefined;
}

const NOTHING = Buffer.alloc(0);
const LATE = Symbol('late');

/**
 * Collects a request body up to a size or a short time, so that most requests are made durable whole, with one
 * flush, before they go on. `waitMs` 0 takes only what is there. Never rejects.
 */
export async function gather(body: BodyReader, maxBytes: number, waitMs: number): Promise<Gathered> {
  if (body.done) return { bytes: NOTHING, complete: true, failure: undefined, pending: undefined };
  const pieces: Buffer[] = [];
  let size = 0;
  let timer: NodeJS.Timeout | undefined;
  const sum = (): Buffer => (pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces, size));
  const add = (piece: Buffer | undefined): void => {
    if (piece === undefined) return;
    pieces.push(piece);
    size += piece.length;
  };
  try {
    add(body.poll());
    const late = new Promise<typeof LATE>((resolve) => {
      if (!body.done && waitMs > 0) timer = setTimeout(resolve, waitMs, LATE);
    });
    while (!body.done && size < maxBytes && waitMs > 0) {
      const reading = body.read();
      const next = await Promise.race([reading, late]);
      if (next === LATE) {
        // Whoever awaits it next will see its failure; until then it must not count as unhandled.
        reading.catch(() => undefined);
        return { bytes: sum(), complete: false, failure: undefined, pending: reading };
      }
      add(next);
    }
    return { bytes: sum(), complete: body.done, failure: undefined, pending: undefined };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { bytes: sum(), complete: false, failure, pending: undefined };
  } finally {
    clearTimeout(timer);
  }
}

/** How long to wait for the rest of a request's body, in milliseconds. */
export function gatherTime(inbound: Inbound, limits: Limits): number {
  const { expectsContinue, framing } = inbound;
  // What will not come, or not fit, is not waited for.
  if (expectsContinue) return 0;
  if (framing.kind === 'length') return framing.length > limits.gatherBytes ? 0 : limits.gatherMs;
  return limits.gatherOpenMs;
}

/** What is recorded of a body with its request. */
export function bodyToRecord(inbound: Inbound, gathered: Gathered): RequestBody {
  if (!gathered.complete) return { kind: 'open', bytes: gathered.bytes };
  if (inbound.framing.kind === 'none') return { kind: 'none' };
  const { trailers } = inbound.body;
  return { kind: 'whole', bytes: gathered.bytes, ...(trailers === undefined ? {} : { trailers }) };
}
