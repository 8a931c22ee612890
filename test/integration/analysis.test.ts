import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnalysis } from '../../src/analysis/analysis.ts';
import type { Analysed, AnalysisSetup, Job } from '../../src/analysis/protocol.ts';
import { startAnalysisWorker } from '../../src/analysis/worker-entry.ts';
import type { RunRecord } from '../../src/capture/run-record.ts';
import { defaultConfig } from '../../src/core/config.ts';
import { gatePaths, runPaths } from '../../src/core/paths.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, fakeSecret, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';

/** A real record, and the worker that reads it. */
let dir: string;
let record: RunRecord;
let setup: AnalysisSetup;
let results: { readonly job: Job; readonly result: Analysed; readonly failure: string | undefined }[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gate-analysis-'));
  const paths = gatePaths({ GATE_HOME: dir });
  const start = startFacts();
  record = await startRecord(paths, start);
  const { ledger, pack } = runPaths(paths, start.run);
  const { rules, analysis } = defaultConfig();
  setup = { ledger, pack, maskKey: Buffer.alloc(32), rules, jailed: true, scanBytes: analysis.scanBytes };
  results = [];
});
afterEach(async () => {
  await record.end({}).catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
});

function analysisWith(start: (setup: AnalysisSetup) => Worker) {
  const analysis = createAnalysis({
    setup,
    start,
    allowlisted: () => false,
    knownMcpHost: () => false,
    done(job, result, failure) {
      results.push({ job, result, failure });
    },
  });
  record.observe(analysis);
  return analysis;
}

async function exchange(body: string, method = 'POST'): Promise<void> {
  const facts = requestFacts({ method, url: 'https://api.example.com/x' });
  const exchange = await record.recorder.request(facts, { kind: 'whole', bytes: Buffer.from(body) });
  await exchange.response(responseFacts());
  await exchange.end(endFacts());
}

const codesOf = (index: number) => results[index]?.result.fields.flags.map(({ code }) => code);

/** A worker that dies of its first job. */
const mortal = (data: AnalysisSetup) =>
  new Worker(
    `require('node:worker_threads').parentPort.on('message', () => { throw new Error('no more') })`,
    {
      eval: true,
      workerData: data,
    },
  );

// promise: rule.parse_error
test('a worker that dies loses no exchange: it is started again, and the one it died on says so', async () => {
  let started = 0;
  const analysis = analysisWith((data) => (started++ === 0 ? mortal(data) : startAnalysisWorker(data)));
  await exchange('{"first":1}');
  // Jobs that come close together are handed over together, and then tried one by one with the next worker.
  await expect.poll(() => results.length, { timeout: 10_000 }).toBe(1);
  await exchange(JSON.stringify({ second: fakeSecret('sk-ant-api03-', 108) }));
  await analysis.finish(20_000);
  expect(started).toBe(2);
  expect(results.map(({ failure }) => failure)).toEqual(['the analysis died: no more', undefined]);
  expect(codesOf(0)).toEqual(['parse_error']);
  expect(codesOf(1)).not.toContain('parse_error');
});

/** A worker that takes its time, so that jobs come together, and dies of any handful with a DELETE in it. */
const choosy = (data: AnalysisSetup) =>
  new Worker(
    `const { parentPort } = require('node:worker_threads');
    const resultOf = ({ id }) => ({ fields: { id, flags: [] }, content: new Uint8Array() });
    const answer = (jobs) => {
      if (jobs.some(({ method }) => method === 'DELETE')) throw new Error('no more');
      parentPort.postMessage(jobs.map(resultOf));
    };
    parentPort.on('message', (jobs) => setTimeout(answer, 100, jobs));`,
    { eval: true, workerData: data },
  );

test('of jobs that were handed over together, only the one that a worker dies on is lost', async () => {
  const analysis = analysisWith(choosy);
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'POST'];
  await Promise.all(methods.map((method) => exchange('{}', method)));
  await analysis.finish(20_000);
  expect(results.map(({ job }) => job.method).sort()).toEqual([...methods].sort());
  const failed = results.filter(({ failure }) => failure !== undefined);
  expect(failed.map(({ job, failure }) => [job.method, failure])).toEqual([
    ['DELETE', 'the analysis died: no more'],
  ]);
});

test('a worker that never says anything is not waited for, and what is left is told', async () => {
  const silent = `require('node:worker_threads').parentPort.on('message', () => {})`;
  const analysis = analysisWith((data) => new Worker(silent, { eval: true, workerData: data }));
  for (const body of ['{"a":1}', '{"b":2}', '{"c":3}']) await exchange(body);
  await analysis.finish(100);
  expect(results.map(({ failure }) => failure)).toEqual(Array(3).fill('not analysed: the run was over'));
  expect(codesOf(2)).toEqual(['parse_error']);
});

test('with too much to look at a request waits before it is begun, and what has begun does not', async () => {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const patient = `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.on('message', (jobs) => {
      Atomics.wait(workerData, 0, 0);
      parentPort.postMessage(jobs.map(({ id }) => ({ fields: { id, flags: [] }, content: new Uint8Array() })));
    });`;
  const analysis = analysisWith(() => new Worker(patient, { eval: true, workerData: gate }));
  const begun = await record.recorder.request(requestFacts(), { kind: 'none' });
  const heavy = requestFacts({ headers: [['X-Heavy', 'h'.repeat(250_000)]] });
  let count = 0;
  while (analysis.admit() === undefined && count < 1000) {
    const each = await record.recorder.request(heavy, { kind: 'none' });
    await each.response(responseFacts());
    await each.end(endFacts());
    count += 1;
  }
  // 32 MB.
  expect(count).toBeGreaterThan(100);
  expect(count).toBeLessThan(200);
  let admitted = false;
  const held = record.recorder.request(requestFacts(), { kind: 'none' }).then((exchange) => {
    admitted = true;
    return exchange;
  });
  await begun.response(responseFacts());
  for (let n = 0; n < 20; n += 1) await begun.responseData(Buffer.from(`piece ${n}`));
  await begun.end(endFacts());
  expect(admitted).toBe(false);
  expect(results).toEqual([]);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  const exchange = await held;
  await exchange.response(responseFacts());
  await exchange.end(endFacts());
  await analysis.finish(20_000);
  expect(results).toHaveLength(count + 2);
  expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
});

test('nothing is started for a run without an exchange', async () => {
  let started = 0;
  const analysis = analysisWith((data) => {
    started += 1;
    return startAnalysisWorker(data);
  });
  await analysis.finish(1000);
  expect(started).toBe(0);
});

// promise: rule.secret_in_request, ledger.analysis
test('messages of a WebSocket are analysed in batches, each once, and secrets in them are found', async () => {
  const analysis = analysisWith(startAnalysisWorker);
  const facts = requestFacts({ method: 'GET', protocol: 'websocket', url: 'https://api.example.com/socket' });
  const socket = await record.recorder.request(facts, { kind: 'none' });
  await socket.response(responseFacts({ status: 101 }));
  const secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
  for (let n = 0; n < 150; n += 1) {
    const text = n === 120 ? `the password=${secret} is here` : `message ${n}`;
    await socket.message(n % 2 === 0 ? 'client' : 'server', 1, Buffer.from(text));
  }
  await socket.end(endFacts());
  await analysis.finish(20_000);
  const ranges = results.map(({ result }) => result.fields.messages);
  expect(ranges[0]?.[0]).toBe(0);
  expect(ranges.at(-1)?.[1]).toBe(149);
  for (let i = 1; i < ranges.length; i += 1) expect(ranges[i]?.[0]).toBe((ranges[i - 1]?.[1] ?? 0) + 1);
  expect(results.flatMap(({ result }) => result.fields.secrets).map(({ where }) => where)).toContain(
    'message:120',
  );
  expect(results.flatMap((_, index) => codesOf(index) ?? [])).toEqual(['secret_in_request']);
});
