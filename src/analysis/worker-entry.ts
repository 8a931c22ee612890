import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { AnalysisSetup } from './protocol.ts';

/** A body that needs more than this to be read ends the worker, not the run. */
const resourceLimits = { maxOldGenerationSizeMb: 1536 };

/**
 * Starts the analysis worker: `analysis-worker.js` beside the bundle, or the TypeScript source beside this file.
 * Node 20 runs no TypeScript, so the source is loaded through tsx, which only a clone has.
 */
export function startAnalysisWorker(workerData: AnalysisSetup): Worker {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) {
    return new Worker(new URL('./analysis-worker.js', here), { workerData, resourceLimits });
  }
  const source = JSON.stringify(fileURLToPath(new URL('./worker.ts', here)));
  const load = `const load = require('node:module').createRequire(${source});
load('tsx/cjs/api').register();
load(${source});`;
  return new Worker(load, { eval: true, workerData, resourceLimits });
}
