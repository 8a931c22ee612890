/**
 * What recording costs: latency of the flushes and CPU over all threads, for one exchange of request, response
 * and end with 1 kB bodies, at 1, 8 and 64 exchanges at a time. Run: node --import tsx test/perf/record.ts [dir]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunRecord } from '../../src/capture/run-record.ts';
import { gatePaths } from '../../src/core/paths.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';
import { createProse, createRandom } from '../unit/store/random.ts';

interface Row {
  concurrent: number;
  bodies: 'same' | 'new';
  /** Three an exchange: request, response, end. */
  recordsPerSecond: number;
  cpuMsPerExchange: number;
  requestP50Ms: number;
  requestP99Ms: number;
  endP50Ms: number;
  endP99Ms: number;
  /** All that recording adds to an exchange: both flushes, and the writes between them. */
  addedP50Ms: number;
  addedP99Ms: number;
}

const WARM_UP = 500;
const EXCHANGES = 4000;

async function measure(
  record: RunRecord,
  concurrent: number,
  bodyOf: () => Buffer,
): Promise<Omit<Row, 'bodies'>> {
  const requestMs: number[] = [];
  const endMs: number[] = [];
  const addedMs: number[] = [];
  let left = 0;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const started = performance.now();
      const exchange = await record.recorder.request(requestFacts(), { kind: 'whole', bytes: bodyOf() });
      requestMs.push(performance.now() - started);
      await exchange.response(responseFacts());
      await exchange.responseData(bodyOf());
      const ending = performance.now();
      await exchange.end(endFacts());
      endMs.push(performance.now() - ending);
      addedMs.push(performance.now() - started);
    }
  };
  const round = async (count: number): Promise<void> => {
    left = count;
    await Promise.all(Array.from({ length: concurrent }, worker));
  };
  await round(WARM_UP);
  requestMs.length = 0;
  endMs.length = 0;
  addedMs.length = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  await round(EXCHANGES);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    concurrent,
    recordsPerSecond: Math.round((EXCHANGES * 3) / seconds),
    cpuMsPerExchange: rounded((used.user + used.system) / 1000 / EXCHANGES),
    requestP50Ms: percentile(requestMs, 0.5),
    requestP99Ms: percentile(requestMs, 0.99),
    endP50Ms: percentile(endMs, 0.5),
    endP99Ms: percentile(endMs, 0.99),
    addedP50Ms: percentile(addedMs, 0.5),
    addedP99Ms: percentile(addedMs, 0.99),
  };
}

function percentile(values: number[], part: number): number {
  return rounded(values.sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'gate-perf-'));
const rows: Row[] = [];
const prose = createProse(createRandom(1));
const stock = Buffer.from(prose(2_000_000));
for (const concurrent of [1, 8, 64]) {
  for (const bodies of ['same', 'new'] as const) {
    let at = 0;
    const bodyOf = (): Buffer => {
      at = bodies === 'same' ? 0 : (at + 251) % (stock.length - 1024);
      return stock.subarray(at, at + 1024);
    };
    const record = await startRecord(gatePaths({ GATE_HOME: dir }), startFacts());
    rows.push({ bodies, ...(await measure(record, concurrent, bodyOf)) });
    await record.end({});
  }
}
rmSync(dir, { recursive: true });
console.table(rows);
console.log(JSON.stringify({ bench: 'record', exchanges: EXCHANGES, rows }));
