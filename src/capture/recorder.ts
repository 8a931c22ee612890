import type { DnsFacts, ExchangeRecorder, Recorder, RefusedFacts, TunnelRecorder } from '../core/exchange.ts';
import type { Counts } from './counts.ts';
import { type CaptureDeps, recordRequest } from './exchange-recorder.ts';
import { createRefusedTargets, type RefusedTarget } from './refused-targets.ts';
import { createRepeats } from './repeats.ts';
import { recordTunnel } from './tunnel-recorder.ts';

/** The recorder of one run, with what its owner needs besides. */
export interface RunRecorder extends Recorder {
  counts(): Counts;
  /** What was refused and a list entry would let through, most frequent first. */
  refusedTargets(): RefusedTarget[];
  /**
   * Ends the record: repeats that are only counted are written, and exchanges and tunnels that nobody ended get
   * an end with outcome `gate_stopped`. Resolves when all of it is flushed.
   */
  finish(): Promise<void>;
}

/** Makes the recorder over a run's writer. Its promises reject with the writer's failure and never throw. */
export function createRecorder(deps: CaptureDeps): RunRecorder {
  const { counter } = deps;
  const unended = new Set<() => Promise<void>>();
  const dns = createRepeats<DnsFacts>({
    write: (fact, count) => deps.writer.append('dns', { ...fact, count }),
    coarse: ({ qtype, answer }) => ({ name: '*', qtype, answer: answer.includes('.') ? '*' : answer }),
  });
  const targets = createRefusedTargets();
  const refused = createRepeats<Omit<RefusedFacts, 'count'>>({
    write: (fact, count) => deps.writer.append('refused', { ...fact, count }),
    coarse: ({ proto, reason }) => ({ proto, reason }),
  });

  /** Keeps in mind how to end what was begun, until its owner ends it. */
  function tracked<Facts>(
    end: (facts: Facts) => Promise<void>,
    last: () => Facts,
  ): (facts: Facts) => Promise<void> {
    const abandon = (): Promise<void> => end(last());
    unended.add(abandon);
    return (facts) => {
      unended.delete(abandon);
      return end(facts);
    };
  }

  return {
    async request(facts, body): Promise<ExchangeRecorder> {
      const exchange = await recordRequest(deps, facts, body);
      const { startedMs } = exchange;
      const end = tracked(exchange.end, () => ({
        outcome: 'gate_stopped' as const,
        timing: { totalMs: elapsed(startedMs) },
      }));
      return { ...exchange, end };
    },
    async tunnel(facts): Promise<TunnelRecorder> {
      const startedMs = performance.now();
      const tunnel = await recordTunnel(deps, facts);
      const end = tracked(tunnel.end, () => ({
        bytesUp: 0,
        bytesDown: 0,
        incomplete: true,
        outcome: 'gate_stopped' as const,
        timing: { totalMs: elapsed(startedMs) },
      }));
      return { ...tunnel, end };
    },
    refused({ count = 1, ...fact }) {
      counter.add('refused', count);
      targets.add(fact, count);
      refused.add(fact, count);
    },
    dns(fact) {
      counter.add('dns');
      dns.add(fact);
    },
    counts: counter.read,
    refusedTargets: targets.read,
    async finish() {
      dns.flush();
      refused.flush();
      const abandoned = [...unended];
      unended.clear();
      await Promise.all(abandoned.map((abandon) => abandon()));
    },
  };
}

/** Milliseconds since, to the microsecond. */
function elapsed(sinceMs: number): number {
  return Math.round((performance.now() - sinceMs) * 1000) / 1000;
}
