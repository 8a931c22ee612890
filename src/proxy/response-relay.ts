import type { ExchangeRecorder, ResponseFacts } from '../core/exchange.ts';
import { audited } from './errors.ts';
import type { Reply } from './reply.ts';
import type { IncomingResponse } from './upstream-call.ts';

export interface ResponseRelay {
  readonly recorder: ExchangeRecorder;
  readonly reply: Reply;
  readonly response: IncomingResponse;
  readonly upstream: NonNullable<ResponseFacts['upstream']>;
  /** Called before the first byte of the answer is released. */
  released(): void;
  /** Throws once the exchange was stopped. */
  check(): void;
  /** Records the end; what it resolves is the permission for the last byte. */
  end(): Promise<void>;
}

/**
 * Brings an origin's answer to the client: the head and each piece as soon as they are written, the last piece (and
 * the end of the message) only after the end of the exchange was flushed. A small answer that came whole is written
 * with one wait.
 */
export async function relayResponse(relay: ResponseRelay): Promise<void> {
  const { recorder, response } = relay;
  const { body } = response;
  let piece = body.poll();
  const isWhole = body.done;
  const written = [recorder.response(factsOf(relay), isWhole || piece !== undefined)];
  if (piece !== undefined) written.push(recorder.responseData(piece, isWhole));
  if (!isWhole) {
    await audited(Promise.all(written.splice(0)));
    relay.check();
    await releaseStart(relay, piece);
    piece = await relayPieces(relay, written);
  }
  written.push(relay.end());
  await audited(Promise.all(written));
  releaseEnd(relay, !isWhole, piece);
}

/** Relays until the last piece, which is returned unreleased, with the promise of its being written. */
async function relayPieces(relay: ResponseRelay, written: Promise<void>[]): Promise<Buffer | undefined> {
  const { recorder, reply, response } = relay;
  const { body } = response;
  for (;;) {
    const piece = await body.read();
    relay.check();
    if (piece === undefined) return undefined;
    const permission = recorder.responseData(piece, body.done);
    if (body.done) {
      written.push(permission);
      return piece;
    }
    await audited(permission);
    relay.check();
    const free = reply.data(piece);
    if (free === undefined) continue;
    await free;
    relay.check();
  }
}

async function releaseStart(relay: ResponseRelay, piece: Buffer | undefined): Promise<void> {
  const { reply, response } = relay;
  relay.released();
  reply.cork();
  reply.head(response);
  const free = piece === undefined ? undefined : reply.data(piece);
  reply.uncork();
  await free;
}

function releaseEnd(relay: ResponseRelay, headReleased: boolean, piece: Buffer | undefined): void {
  const { reply, response } = relay;
  relay.released();
  reply.cork();
  if (!headReleased) reply.head(response);
  // The exchange is recorded as ended: a client that does not take the rest concerns its connection only.
  if (piece !== undefined) reply.data(piece)?.catch(() => undefined);
  reply.end(response.body.trailers);
  reply.uncork();
}

function factsOf(relay: ResponseRelay): ResponseFacts {
  const { headers, status, statusText } = relay.response;
  const facts = { status, headers, upstream: relay.upstream };
  return statusText === '' ? facts : { ...facts, statusText };
}
