import type { ExchangeRecorder } from '../../core/exchange.ts';
import type { HeaderList } from '../../core/headers.ts';
import type { Outcome } from '../../core/outcome.ts';
import { AuditError } from '../errors.ts';
import type { Wire } from '../wire.ts';
import { Direction } from './direction.ts';
import { BadFrame } from './frames.ts';
import { MessageInflater, negotiatedCompression } from './inflate.ts';

export interface WebSocketRelay {
  readonly client: Wire;
  readonly origin: Wire;
  /** Of the 101 answer. */
  readonly headers: HeaderList;
  readonly recorder: ExchangeRecorder;
}

export interface WebSocketEnd {
  readonly outcome: Outcome;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Relays a WebSocket until one side ends, every message written before it goes on. Resolves with how it ended; both
 * wires are still there, to be closed once that is recorded. Rejects with {@link AuditError} only.
 */
export async function relayWebSocket(relay: WebSocketRelay): Promise<WebSocketEnd> {
  const { client, origin, recorder } = relay;
  const compression = negotiatedCompression(relay.headers);
  const inflaters = {
    client: compression === undefined ? undefined : new MessageInflater(compression.client),
    server: compression === undefined ? undefined : new MessageInflater(compression.server),
  };
  const up = new Direction({
    side: 'client',
    from: client,
    to: origin,
    recorder,
    inflater: inflaters.client,
  });
  const down = new Direction({
    side: 'server',
    from: origin,
    to: client,
    recorder,
    inflater: inflaters.server,
  });
  try {
    return await Promise.race([
      ended(up, client, 'client_aborted', () => up.closed || down.closed),
      ended(down, origin, 'upstream_reset', () => up.closed || down.closed),
    ]);
  } finally {
    up.stopped = true;
    down.stopped = true;
    inflaters.client?.stop();
    inflaters.server?.stop();
  }
}

/** How the side that sends in this direction ended. A Close frame, whoever's, makes an end a clean one. */
async function ended(
  direction: Direction,
  sender: Wire,
  broken: Outcome,
  closed: () => boolean,
): Promise<WebSocketEnd> {
  try {
    await direction.run();
    return { outcome: closed() ? 'complete' : broken };
  } catch (error) {
    if (error instanceof AuditError) throw error;
    if (closed()) return { outcome: 'complete' };
    if (error instanceof BadFrame) {
      return { outcome: broken, error: { code: 'bad_frame', message: error.message } };
    }
    // A write that failed is the other side's end.
    const outcome = sender.gone ? broken : broken === 'client_aborted' ? 'upstream_reset' : 'client_aborted';
    return { outcome };
  }
}
