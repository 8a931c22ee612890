import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts the store worker: `store-worker.js` beside the bundle, or the TypeScript source beside this file.
 * Node 20 runs no TypeScript, so the source is loaded through tsx, which only a clone has.
 */
export function startStoreWorker(workerData: unknown): Worker {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new Worker(new URL('./store-worker.js', here), { workerData });
  const source = JSON.stringify(fileURLToPath(new URL('./worker.ts', here)));
  const load = `const load = require('node:module').createRequire(${source});
load('tsx/cjs/api').register();
load(${source});`;
  return new Worker(load, { eval: true, workerData });
}
