import { getPriority, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { fingerprint } from '../core/mask.ts';
import { openPackReader, type PackReader } from '../store/pack-reader.ts';
import { analyse } from './analyse.ts';
import { createCollector } from './collect.ts';
import { createScanner } from './decode/scan.ts';
import { createFollower, type ExchangeRecords } from './follower.ts';
import type { Analysed, AnalysisSetup, Job } from './protocol.ts';

/** Results are told at the latest after so long: they are records, and nobody waits for one of them. */
const REPORT_MS = 50;

/**
 * What the kernel gives to this thread while others of the machine want to run: a tenth of what they get. What is not
 * analysed yet waits in files, and only a great deal of it holds requests back.
 */
const NICENESS = 10;

/**
 * The analysis worker: takes jobs, reads what was recorded from the run's own files, and answers with the results in
 * order. It holds nothing that a new worker could not read again, so it may die at any time.
 */
function serve(port: MessagePort, setup: AnalysisSetup): void {
  const key = Buffer.from(setup.maskKey);
  const nameOf = (value: string): string => fingerprint(value, key);
  const scanner = createScanner({ remember: true, fingerprint: nameOf });
  const follower = createFollower(setup.ledger);
  const collect = createCollector();
  let pack: PackReader | undefined;

  async function take(job: Job): Promise<Analysed> {
    pack ??= await openPackReader(setup.pack, { blocking: true });
    const records = follower.find(job);
    const result = await analyse({ job, records, pack, scanner, fingerprint: nameOf, setup });
    follower.forget(job);
    collect(bytesOf(records));
    return result;
  }

  async function takeAll(jobs: readonly Job[]): Promise<void> {
    let results: Analysed[] = [];
    let toldMs = performance.now();
    for (const job of jobs) {
      results.push(await take(job));
      if (performance.now() - toldMs < REPORT_MS) continue;
      port.postMessage(results);
      results = [];
      toldMs = performance.now();
    }
    if (results.length > 0) port.postMessage(results);
  }

  port.on('message', (jobs: readonly Job[]) => {
    // Nothing is caught: whatever analyse does not expect ends the worker, and the main thread says so.
    void takeAll(jobs).catch((error: unknown) => setImmediate(() => fail(error)));
  });
}

/** What was read for an exchange. */
function bytesOf({ request, end, messages }: ExchangeRecords): number {
  const bodies = [request?.body, end?.requestBody, end?.responseBody, ...messages.map(({ body }) => body)];
  return bodies.reduce((sum, body) => sum + (body && 'bytes' in body ? Number(body.bytes) : 0), 0);
}

function fail(error: unknown): never {
  throw error;
}

/**
 * The traffic goes first. On Linux alone this concerns the calling thread and not the whole process. Under `nice` the
 * thread may give way more than that already, and no user but root may take that back.
 */
function yieldToTraffic(): void {
  if (process.platform === 'linux' && getPriority(0) < NICENESS) setPriority(0, NICENESS);
}

if (parentPort !== null) {
  yieldToTraffic();
  serve(parentPort, workerData as AnalysisSetup);
}
