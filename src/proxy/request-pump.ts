import type { ExchangeRecorder } from '../core/exchange.ts';
import type { BodyReader } from './body.ts';
import { audited } from './errors.ts';
import type { Gathered } from './gather.ts';
import type { UpstreamCall } from './upstream-call.ts';

export interface RequestPump {
  readonly recorder: ExchangeRecorder;
  readonly call: UpstreamCall;
  readonly body: BodyReader;
  /** What was recorded with the head, and the read that was under way then. */
  readonly gathered: Gathered;
  /** The exchange has ended: nothing more may be recorded or sent. */
  stopped(): boolean;
}

/**
 * Streams an open request body upstream, each piece after it was written. Rejects with the client's failure or the
 * recorder's; the origin's shows where its answer is awaited.
 */
export async function pumpRequest(pump: RequestPump): Promise<void> {
  const { body, call, gathered, recorder } = pump;
  await call.data(gathered.bytes);
  let reading = gathered.pending;
  for (;;) {
    const piece: Buffer | undefined = reading === undefined ? await body.read() : await reading;
    reading = undefined;
    if (pump.stopped()) return;
    if (piece === undefined) break;
    await audited(recorder.requestData(piece));
    if (pump.stopped()) return;
    await call.data(piece);
    if (body.done || pump.stopped()) break;
  }
  if (pump.stopped()) return;
  await audited(recorder.requestEnd(body.trailers));
  if (pump.stopped()) return;
  call.finish(body.trailers);
}
