import type { Worker } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import { headAnalysis } from './head.ts';
import type { Analysed, AnalysisSetup, Job } from './protocol.ts';

/** Jobs on their way through the worker, in order. */
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

/** Jobs that are handed over with one message, at most. */
const HANDFUL = 32;
/** An idle worker is woken for the jobs of so many milliseconds: handing one over costs the traffic what many do. */
const GATHER_MS = 20;
/** What a job weighs besides its texts. */
const JOB_BYTES = 500;

/** Makes the queue. Nothing is started before there is something to do. */
export function createJobQueue(deps: QueueDeps): JobQueue {
  const { maxBytes = 32 * 1024 * 1024, jobTimeoutMs = 60_000 } = deps;
  let jobs: Job[] = [];
  let bytes = 0;
  let worker: Worker | undefined;
  /** With the worker; results come in their order. */
  let current: Job[] = [];
  /** So many jobs are handed over one by one: a worker has died on one of them. */
  let suspects = 0;
  let timer: NodeJS.Timeout | undefined;
  let gathering: NodeJS.Timeout | undefined;
  const waiters: (() => void)[] = [];
  const idle: (() => void)[] = [];
  let stopped = false;

  function started(): Worker {
    if (worker !== undefined) return worker;
    const made = deps.start(deps.setup);
    worker = made;
    let reason = 'it ended';
    made.on('message', finished);
    made.on('error', (error) => {
      reason = messageOf(error);
    });
    // After `error`, and alone where the worker was terminated.
    made.once('exit', () => died(made, reason));
    made.unref();
    return made;
  }

  /** Hands over what there is when more has had time to come. */
  function soon(): void {
    if (current.length > 0 || stopped) return;
    if (jobs.length >= HANDFUL) next();
    else gathering ??= setTimeout(next, GATHER_MS);
  }

  function next(): void {
    clearTimeout(gathering);
    gathering = undefined;
    if (current.length > 0 || stopped) return;
    if (jobs.length === 0) {
      for (const tell of idle.splice(0)) tell();
      return;
    }
    current = jobs.splice(0, suspects > 0 ? 1 : HANDFUL);
    suspects = Math.max(0, suspects - 1);
    started().postMessage(current);
    watch();
  }

  /** From here on the first of the current jobs has its time. */
  function watch(): void {
    timer = setTimeout(() => void worker?.terminate(), jobTimeoutMs);
    timer.unref();
  }

  function take(): Job | undefined {
    const job = current.shift();
    if (job === undefined) return undefined;
    bytes -= weight(job);
    if (bytes < maxBytes) for (const tell of waiters.splice(0)) tell();
    return job;
  }

  function finished(results: readonly Analysed[]): void {
    // What was not done in time has been recorded as such.
    if (stopped) return;
    for (const result of results) {
      const job = take();
      if (job !== undefined) deps.done(job, result);
    }
    clearTimeout(timer);
    if (current.length > 0) watch();
    else if (jobs.length === 0 || idle.length > 0) next();
    else soon();
  }

  function died(which: Worker, reason: string): void {
    if (worker !== which) return;
    worker = undefined;
    clearTimeout(timer);
    if (stopped || current.length === 0) return;
    if (current.length === 1) {
      const job = take();
      if (job !== undefined) fail(job, `the analysis died: ${reason}`);
    } else {
      suspects = current.length;
      jobs = [...current, ...jobs];
      current = [];
    }
    next();
  }

  function fail(job: Job, failure: string): void {
    deps.done(job, { fields: headAnalysis(job, deps.setup, failure), content: new Uint8Array() }, failure);
  }

  function drained(): Promise<void> {
    if (current.length === 0 && jobs.length === 0) return Promise.resolve();
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
      soon();
    },
    room() {
      if (bytes < maxBytes || stopped) return undefined;
      return new Promise((resolve) => {
        waiters.push(resolve);
      });
    },
    async finish(patienceMs) {
      next();
      await within(drained(), patienceMs);
      stopped = true;
      for (const tell of waiters.splice(0)) tell();
      clearTimeout(timer);
      const left = [...current, ...jobs];
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
