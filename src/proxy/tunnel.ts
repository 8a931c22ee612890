import type { Recorder, TunnelFacts } from '../core/exchange.ts';
import type { Outcome } from '../core/outcome.ts';
import { type Cancel, Cancelled } from './cancel.ts';
import { audited } from './errors.ts';
import { timingOf } from './outcome.ts';
import type { Dialled, Upstream, Way } from './upstream-call.ts';
import { Wire } from './wire.ts';

export interface TunnelDeps {
  readonly recorder: Recorder;
  readonly upstream: Upstream;
}

export interface TunnelRequest {
  readonly facts: TunnelFacts;
  /** Vetted. */
  readonly candidates: readonly Way[];
  readonly dnsMs: number | undefined;
}

/**
 * Passes a connection through unread (passthrough list), counting bytes. What the client has said already is still
 * unread on its wire and goes first, untouched. Resolves when the tunnel has ended and is recorded.
 */
export async function runTunnel(
  deps: TunnelDeps,
  client: Wire,
  request: TunnelRequest,
  cancel: Cancel,
): Promise<void> {
  const started = performance.now();
  const count = { up: 0, down: 0 };
  let connectMs: number | undefined;
  let outcome: Outcome = 'complete';
  const recorder = await audited(deps.recorder.tunnel(request.facts));
  try {
    cancel.check();
    const dialled = await dialFor(client, deps.upstream, request, cancel);
    connectMs = dialled.connectMs;
    const origin = new Wire(dialled.socket, dialled.raw);
    cancel.undo = () => origin.reset();
    outcome = await passBoth(client, origin, count);
  } catch (error) {
    outcome = error instanceof Cancelled ? error.outcome : 'upstream_error';
    client.reset();
  }
  cancel.undo = undefined;
  const timing = timingOf(performance.now() - started, {
    dnsMs: request.dnsMs,
    connectMs,
    tlsMs: undefined,
    firstByteMs: undefined,
  });
  outcome = cancel.outcome === 'gate_stopped' ? 'gate_stopped' : outcome;
  await audited(recorder.end({ bytesUp: count.up, bytesDown: count.down, outcome, timing }));
}

/** Dials for a client, as long as its connection stands: one that has only ended may still want to read. */
async function dialFor(
  client: Wire,
  upstream: Upstream,
  { candidates }: TunnelRequest,
  cancel: Cancel,
): Promise<Dialled> {
  const onGone = (): void => {
    if (client.failure !== undefined) cancel.stop('client_aborted');
  };
  client.onGone = onGone;
  onGone();
  try {
    return await upstream.dial(candidates, cancel);
  } finally {
    client.onGone = undefined;
  }
}

/**
 * Passes bytes both ways until both sides have ended or one has broken, and says how. `up` counts what the client sent
 * and the origin took.
 */
export async function passBoth(
  client: Wire,
  origin: Wire,
  count: { up: number; down: number },
): Promise<Outcome> {
  let outcome: Outcome = 'complete';
  // The first side that breaks names the outcome and takes the other down with it.
  const broke = (side: Outcome): void => {
    if (outcome === 'complete') outcome = side;
    client.reset();
    origin.reset();
  };
  await Promise.all([
    pass(client, origin, 'client_aborted', 'upstream_reset', broke, (bytes) => {
      count.up += bytes;
    }),
    pass(origin, client, 'upstream_reset', 'client_aborted', broke, (bytes) => {
      count.down += bytes;
    }),
  ]);
  client.destroy();
  origin.destroy();
  return outcome;
}

/** One direction, with backpressure, until the sender ends; a half-closed connection stays half open. */
async function pass(
  from: Wire,
  to: Wire,
  senderBroke: Outcome,
  takerBroke: Outcome,
  broke: (side: Outcome) => void,
  counted: (bytes: number) => void,
): Promise<void> {
  for (;;) {
    let chunk: Buffer | undefined;
    try {
      chunk = await from.read();
    } catch {
      broke(senderBroke);
      return;
    }
    if (chunk === undefined) break;
    try {
      await to.write(chunk);
    } catch {
      broke(takerBroke);
      return;
    }
    counted(chunk.length);
  }
  to.end();
}
