import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { fingerprint } from '../core/mask.ts';
import { openPackReader, type PackReader } from '../store/pack-reader.ts';
import { analyse } from './analyse.ts';
import { createScanner } from './decode/scan.ts';
import { createFollower } from './follower.ts';
import type { AnalysisSetup, Job } from './protocol.ts';

/**
 * The analysis worker: takes one job after the other, reads what was recorded from the run's own files, and answers
 * with the result. It holds nothing that a new worker could not read again, so it may die at any time.
 */
function serve(port: MessagePort, setup: AnalysisSetup): void {
  const key = Buffer.from(setup.maskKey);
  const nameOf = (value: string): string => fingerprint(value, key);
  const scanner = createScanner({ remember: true, fingerprint: nameOf });
  const follower = createFollower(setup.ledger);
  let pack: PackReader | undefined;

  async function take(job: Job): Promise<void> {
    pack ??= await openPackReader(setup.pack);
    const records = await follower.find(job);
    const result = await analyse({ job, records, pack, scanner, fingerprint: nameOf, setup });
    follower.forget(job);
    port.postMessage(result);
  }

  port.on('message', (job: Job) => {
    // Nothing is caught: whatever analyse does not expect ends the worker, and the main thread says so.
    void take(job).catch((error: unknown) => setImmediate(() => fail(error)));
  });
}

function fail(error: unknown): never {
  throw error;
}

if (parentPort !== null) serve(parentPort, workerData as AnalysisSetup);
