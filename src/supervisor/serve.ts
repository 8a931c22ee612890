import type { Socket } from 'node:net';
import type { JailListener } from '../../platform/jail.ts';
import type { RunRecord } from '../capture/run-record.ts';
import { createDnsServer } from '../proxy/dns/server.ts';
import { createEngine, type Engine } from '../proxy/engine.ts';
import { DEFAULT_LIMITS } from '../proxy/limits.ts';
import { createPublisher, type Publisher } from '../proxy/publish.ts';
import { createUpstream } from '../proxy/upstream.ts';
import { analyseRun } from './analyse.ts';
import type { Held } from './hold.ts';
import type { Prepared } from './prepare.ts';

/** What serves a run's sockets. */
export interface Serving {
  /** Errors of gate's own that nobody expected, to be told after the run: the first of them, and how many in all. */
  readonly bugs: { readonly first: readonly unknown[]; readonly count: number };
  /** Resolves when all that was in flight is recorded and analysed; rejects where it cannot be recorded. */
  stop(): Promise<void>;
}

/** One that comes with each connection must not fill the memory of a long run. */
const MAX_BUGS = 10;

/** Puts engine and resolver behind what a command is held in. */
export function serveHeld(prepared: Prepared, held: Held, record: RunRecord): Serving {
  const { jail, ownPorts, proxyPassword } = held;
  const limits = { ...DEFAULT_LIMITS, ...prepared.config.limits };
  const { pool } = prepared;
  const dns = createDnsServer({ pool, recorder: record.recorder });
  const analysis = analyseRun(prepared, held, record);
  const bugs = { first: [] as unknown[], count: 0 };
  const engine = createEngine({
    recorder: record.recorder,
    policy: prepared.policy(ownPorts),
    names: pool,
    certificates: prepared.leaves,
    upstream: createUpstream({
      resolve: prepared.settings.resolve,
      trust: prepared.upstreamTrust,
      limits,
      proxyFor: prepared.proxyFor,
      ownPorts,
    }),
    limits,
    // The connection that it happened on is closed and recorded as failed; the agent's others need not suffer.
    onBug(error) {
      bugs.count += 1;
      if (bugs.first.length < MAX_BUGS) bugs.first.push(error);
    },
  });
  for (const socket of jail.dnsSockets) dns.attachUdp(socket);
  for (const listener of jail.listeners) {
    if (listener.scope === 'dns') dns.attachTcp(listener.server);
    else
      listener.server.on('connection', (socket: Socket) => accept(engine, listener, socket, proxyPassword));
  }
  const publisher = servePublished(held, record);
  const warming = warmLater(prepared.upstreamTrust);
  return {
    bugs,
    async stop() {
      clearTimeout(warming);
      dns.stop();
      await Promise.all([engine.stop(), publisher?.stop()]);
      try {
        await record.finish();
      } finally {
        await analysis.finish();
      }
    },
  };
}

function servePublished({ jail, published }: Held, record: RunRecord): Publisher | undefined {
  if (published === undefined || jail.connect === undefined) return undefined;
  const publisher = createPublisher({ recorder: record.recorder, connect: jail.connect });
  published.serve(publisher.accept);
  return publisher;
}

/** How long a command is let start before the roots are parsed: one that is over by then need not pay for them. */
const WARM_AFTER_MS = 40;

/** Parses the roots while the command starts, so that its first request upstream does not wait for it. */
function warmLater(trust: () => unknown): NodeJS.Timeout {
  const warm = (): void => {
    try {
      trust();
    } catch {
      // The request that needs them is told.
    }
  };
  return setTimeout(warm, WARM_AFTER_MS).unref();
}

function accept(
  engine: Engine,
  { scope, port }: JailListener,
  socket: Socket,
  password: string | undefined,
): void {
  if (scope === 'proxy') {
    engine.accept(socket, password === undefined ? { via: 'proxy' } : { via: 'proxy', password });
    return;
  }
  // Every address of the jail is local, so the socket's own address is the one that the client asked for. It is
  // gone when the client has reset the connection before it was accepted.
  const address = socket.localAddress;
  if (address === undefined) socket.destroy();
  else engine.accept(socket, { via: 'captured', address, port });
}
