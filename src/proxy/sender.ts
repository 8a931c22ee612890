import type { ExchangeRecorder } from '../core/exchange.ts';
import type { Cancel } from './cancel.ts';
import { audited, UpstreamError } from './errors.ts';
import type { Gathered } from './gather.ts';
import type { Inbound } from './inbound.ts';
import type { Reply } from './reply.ts';
import { pumpRequest } from './request-pump.ts';
import type { IncomingResponse, OutgoingRequest, Route, Upstream, UpstreamCall } from './upstream-call.ts';

export interface Sending {
  readonly upstream: Upstream;
  readonly inbound: Inbound;
  readonly gathered: Gathered;
  readonly route: Route;
  readonly recorder: ExchangeRecorder;
  readonly reply: Reply;
  readonly cancel: Cancel;
  /** Told of each call, before anything is sent on it. */
  opened(call: UpstreamCall): void;
  /** The exchange is recorded as ended. */
  ended(): boolean;
  /** The rest of an open body could not be read or recorded. */
  pumpFailed(error: unknown): void;
}

/**
 * Sends a request that is recorded and waits for the final head; 1xx heads are recorded and passed on. A whole request is sent
 * once more when an idle connection turns out to be dead before any byte of an answer, or the origin has not begun with it.
 */
export async function sendRequest(
  sending: Sending,
): Promise<{ call: UpstreamCall; response: IncomingResponse }> {
  const { complete } = sending.gathered;
  const first = await open(sending, false);
  start(sending, first);
  try {
    return { call: first, response: await finalHead(sending, first) };
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.code === 'timeout') throw error;
    const stale = (first.reused || error.unprocessed) && !first.answered;
    if (!stale || !complete) throw error;
    sending.cancel.check();
  }
  const second = await open(sending, true);
  start(sending, second);
  return { call: second, response: await finalHead(sending, second) };
}

async function open(sending: Sending, fresh: boolean): Promise<UpstreamCall> {
  const { cancel, gathered, route } = sending;
  const call = await sending.upstream.open(route, { fresh, once: !gathered.complete, cancel });
  sending.opened(call);
  cancel.undo = () => call.abort();
  cancel.check();
  return call;
}

function start(sending: Sending, call: UpstreamCall): void {
  const { cancel, gathered, recorder } = sending;
  const { body, facts, framing, headers, path } = sending.inbound;
  const outgoing: OutgoingRequest = { method: facts.method, path, headers, framing };
  if (gathered.complete) {
    call.send(outgoing, gathered.bytes, body.trailers);
    return;
  }
  call.send(outgoing, undefined);
  const stopped = (): boolean => sending.ended() || cancel.outcome !== undefined;
  pumpRequest({ recorder, call, body, gathered, stopped }).catch(sending.pumpFailed);
}

async function finalHead(sending: Sending, call: UpstreamCall): Promise<IncomingResponse> {
  for (;;) {
    const head = await call.response();
    sending.cancel.check();
    if (head.status >= 200) return head;
    if (head.status !== 101) {
      await passOn(sending, head);
      continue;
    }
    if (sending.inbound.upgrade !== undefined) return head;
    throw new UpstreamError('connect_failed', 'the origin switched protocols without being asked to');
  }
}

/** The final head may have come in the same packet: it waits until this one is written and released. */
async function passOn(sending: Sending, head: IncomingResponse): Promise<void> {
  const { headers, status, statusText } = head;
  const facts = statusText === '' ? { status, headers } : { status, statusText, headers };
  await audited(sending.recorder.informational(facts));
  sending.cancel.check();
  sending.reply.informational(head);
}
