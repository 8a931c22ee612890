import type { Socket } from 'node:net';
import type { Recorder } from '../core/exchange.ts';
import type { Outcome } from '../core/outcome.ts';
import { timingOf } from './outcome.ts';
import { passBoth } from './tunnel.ts';
import { Wire } from './wire.ts';

export interface PublisherDeps {
  readonly recorder: Pick<Recorder, 'tunnel'>;
  /** Connects to a server in the jail, on its loopback. */
  readonly connect: (port: number) => Promise<Socket>;
}

/** Brings connections of this machine to servers in the jail. */
export interface Publisher {
  /** Takes a connection that was made to a published port. */
  accept(socket: Socket, port: number): void;
  /** Cuts what is open. Resolves when all of it is recorded. */
  stop(): Promise<void>;
}

/** Makes the publisher of one run. */
export function createPublisher({ recorder, connect }: PublisherDeps): Publisher {
  const open = new Set<Socket>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  /** Where no server listens yet, the connection is cut as if there were no port at all. */
  async function serve(outside: Wire, port: number): Promise<void> {
    const started = performance.now();
    const dialled = await connect(port);
    open.add(dialled);
    dialled.once('close', () => open.delete(dialled));
    dialled.setNoDelay(true);
    const inside = new Wire(dialled);
    try {
      // Nothing was read from either side yet: a byte that leaves the jail leaves after this.
      const tunnel = await recorder.tunnel({
        via: 'published',
        host: 'localhost',
        port,
        decision: { verdict: 'forward', reason: 'published' },
      });
      const connectMs = performance.now() - started;
      const count = { up: 0, down: 0 };
      if (stopped) inside.reset();
      const outcome: Outcome = await passBoth(outside, inside, count);
      await tunnel.end({
        bytesUp: count.down,
        bytesDown: count.up,
        outcome: stopped ? 'gate_stopped' : outcome,
        timing: timingOf(performance.now() - started, {
          dnsMs: undefined,
          connectMs,
          tlsMs: undefined,
          firstByteMs: undefined,
        }),
      });
    } finally {
      inside.reset();
    }
  }

  function accept(socket: Socket, port: number): void {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.setNoDelay(true);
    const outside = new Wire(socket);
    // No server, no jail any more, or no record: nothing is passed on. The run tells of a record that failed.
    const task = serve(outside, port).catch(() => outside.reset());
    running.add(task);
    void task.finally(() => running.delete(task));
  }

  return {
    accept,
    async stop() {
      stopped = true;
      for (const socket of open) socket.resetAndDestroy();
      await Promise.all(running);
    },
  };
}
