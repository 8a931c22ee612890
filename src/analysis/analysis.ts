import type { Worker } from 'node:worker_threads';
import type { HeaderList } from '../core/headers.ts';
import type { AnalysisSetup, Job } from './protocol.ts';
import { createJobQueue, type JobQueue, type QueueDeps } from './queue.ts';
import { startAnalysisWorker } from './worker-entry.ts';

/** The facts of an exchange that has been recorded, as they were sent. */
export interface Opened {
  readonly id: string;
  readonly seq: number;
  readonly facts: {
    readonly method: string;
    readonly url: string;
    readonly host: string;
    readonly port: number;
    readonly protocol: Job['protocol'];
    readonly headers: HeaderList;
    readonly decision: { readonly verdict: 'forward' | 'deny'; readonly list?: string | undefined };
  };
}

/** Analyses the exchanges of a run after they have ended, and WebSocket messages while they come. */
export interface Analysis {
  admit(): Promise<void> | undefined;
  opened(exchange: Opened): Following;
  /** Finishes what is queued, for `patienceMs` at most. Then every exchange that has ended is done. */
  finish(patienceMs: number): Promise<void>;
}

export interface AnalysisDeps {
  readonly setup: AnalysisSetup;
  /** Whether a host that was refused for another reason is on the allowlist. */
  allowlisted(host: string, port: number): boolean;
  knownMcpHost(host: string, port: number): boolean;
  /** Writes a result; `failure` where only the head could be looked at. */
  done: QueueDeps['done'];
  /** Instead of the program's own worker. */
  start?(setup: AnalysisSetup): Worker;
}

/** Is told what of an exchange can be read. */
interface Following {
  message(n: number): void;
  ended(requestTrailers?: HeaderList): void;
}

/** Messages are analysed after so many, or so long after the first that was not. */
const BATCH = 100;
const BATCH_MS = 2000;

/** Makes the analysis of a run; the worker starts with the first exchange. */
export function createAnalysis(deps: AnalysisDeps): Analysis {
  const { setup, done, start = startAnalysisWorker } = deps;
  const queue = createJobQueue({ setup, done, start });
  return {
    admit: queue.room,
    opened(exchange) {
      queue.warm();
      return follow(queue, jobOf(exchange, deps));
    },
    finish: queue.finish,
  };
}

type Head = Omit<Job, 'ended' | 'messages'>;

function jobOf({ id, seq, facts }: Opened, deps: AnalysisDeps): Head {
  const { method, url, headers, host, port, protocol, decision } = facts;
  const denied = decision.verdict === 'deny';
  return {
    ...{ id, seq, method, url, headers, host, port, protocol, denied },
    // A refusal names the list that refused, which says nothing of the allowlist.
    allowlisted: decision.list === 'allow' || (denied && deps.allowlisted(host, port)),
    knownMcpHost: deps.knownMcpHost(host, port),
  };
}

function follow(queue: JobQueue, head: Head): Following {
  let from: number | undefined;
  let to = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(ended: boolean, trailers: HeaderList = []): void {
    clearTimeout(timer);
    const messages = from === undefined ? {} : { messages: [from, to] as const };
    from = undefined;
    queue.add({ ...head, headers: [...head.headers, ...trailers], ...messages, ended });
  }

  return {
    message(n) {
      to = n;
      if (from === undefined) {
        from = n;
        timer = setTimeout(() => flush(false), BATCH_MS);
        timer.unref();
      }
      if (to - from + 1 >= BATCH) flush(false);
    },
    ended: (requestTrailers) => flush(true, requestTrailers),
  };
}
