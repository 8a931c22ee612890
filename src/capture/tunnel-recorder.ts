import type { TunnelEnd, TunnelFacts, TunnelRecorder } from '../core/exchange.ts';
import { exchangeId } from '../core/ids.ts';
import type { CaptureDeps } from './exchange-recorder.ts';

/**
 * Records that a tunnel opens, flushed: a tunnel that was open when gate died is in the record too. The `tunnel`
 * record proper, with bytes and times, comes at its end and repeats what is known.
 */
export async function recordTunnel(deps: CaptureDeps, facts: TunnelFacts): Promise<TunnelRecorder> {
  const { writer, counter } = deps;
  const id = exchangeId(deps.run, writer.nextSeq);
  const { op } = writer.append('tunnel.open', { id, ...facts });
  if (facts.via === 'published') counter.add('published');
  else {
    counter.add('tunnels');
    counter.host(facts.host);
    counter.decision(facts.decision);
  }
  await writer.durable(op);
  return {
    id,
    async end(end: TunnelEnd) {
      await writer.durable(writer.append('tunnel', { id, ...facts, ...end }).op);
    },
  };
}
