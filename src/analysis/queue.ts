import type { Worker } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import { headAnalysis } from './head.ts';
import type { Analysed, AnalysisSetup, Job } from './protocol.ts';

/** Jobs on their way through the worker, one after the other. */
export interface JobQueue {
  /** Starts the worker where there is none: it takes a while. */
  warm(): void;
  add(job: Job): void;
  /** Resolves once there is room again; undefined where there is. */
  room(): Promise<void> | undefined;
  /**
   * Finishes what is queued, for `patienceMs` at most, and stops the worker. Jobs that are left are done by what
   * their heads say, as failures.
   */
  finish(patienceMs: number): Promise<void>;
}

export interface QueueDeps {
  readonly setup: AnalysisSetup;
  start(setup: AnalysisSetup): Worker;
  /** Takes a result; `failure` where only the head of the job could be looked at. */
  done(job: Job, result: Analysed, failure?: string): void;
  /** Of queued jobs, before requests are held back. Their bodies are in files and do not count. */
  readonly maxBytes?: number;
  /** A job that takes longer is given up, and the worker with it. */
  readonly jobTimeoutMs?: number;
}

/** What a job weighs besides its texts. */
const JOB_BYTES = 500;

/** Makes the queue. Nothing is started before there is something to do. */
export function createJobQueue(deps: QueueDeps): JobQueue {
  const { maxBytes = 32 * 1024 * 1024, jobTimeoutMs = 60_000 } = deps;
  const jobs: Job[] = [];
  let bytes = 0;
  let worker: Worker | undefined;
  let current: Job | undefined;
  let timer: NodeJS.Timeout | undefined;
  const waiters: (() => void)[] = [];
  const idle: (() => void)[] = [];
  let stopped = false;

  function started(): Worker {
    if (worker !== undefined) return worker;
    const made = deps.start(deps.setup);
    worker = made;
    let reason = 'it ended';
    made.on('message', (result: Analysed) => finished(result));
    made.on('error', (error) => {
      reason = messageOf(error);
    });
    // After `error`, and alone where the worker was terminated.
    made.once('exit', () => died(made, reason));
    made.unref();
    return made;
  }

  function next(): void {
    if (current !== undefined || stopped) return;
    current = jobs.shift();
    if (current === undefined) {
      for (const tell of idle.splice(0)) tell();
      return;
    }
    started().postMessage(current);
    timer = setTimeout(() => void worker?.terminate(), jobTimeoutMs);
    timer.unref();
  }

  function take(): Job | undefined {
    clearTimeout(timer);
    const job = current;
    current = undefined;
    if (job === undefined) return undefined;
    bytes -= weight(job);
    if (bytes < maxBytes) for (const tell of waiters.splice(0)) tell();
    return job;
  }

  function finished(result: Analysed): void {
    const job = take();
    if (job !== undefined) deps.done(job, result);
    next();
  }

  function died(which: Worker, reason: string): void {
    if (worker !== which) return;
    worker = undefined;
    const job = stopped ? undefined : take();
    if (job === undefined) return;
    fail(job, `the analysis died: ${reason}`);
    next();
  }

  function fail(job: Job, failure: string): void {
    deps.done(job, { fields: headAnalysis(job, deps.setup, failure), content: new Uint8Array() }, failure);
  }

  function drained(): Promise<void> {
    if (current === undefined && jobs.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      idle.push(resolve);
    });
  }

  return {
    warm() {
      if (!stopped) started();
    },
    add(job) {
      jobs.push(job);
      bytes += weight(job);
      next();
    },
    room() {
      if (bytes < maxBytes || stopped) return undefined;
      return new Promise((resolve) => {
        waiters.push(resolve);
      });
    },
    async finish(patienceMs) {
      await within(drained(), patienceMs);
      stopped = true;
      for (const tell of waiters.splice(0)) tell();
      clearTimeout(timer);
      const left = current === undefined ? jobs : [current, ...jobs];
      for (const job of left) fail(job, 'not analysed: the run was over');
      await worker?.terminate();
    },
  };
}

function weight({ url, headers }: Job): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, url.length + JOB_BYTES);
}

/** Waits for a promise, but not longer than so many milliseconds. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
