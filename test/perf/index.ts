/**
 * What the index costs and gives: how fast ledgers are folded, without texts and with them, how long a page and a
 * search take at 200,000 exchanges, and how large it is. Arguments: exchanges (200000), rounds (5).
 * Run: npm run bench:index
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunId } from '../../src/core/ids.ts';
import { type GatePaths, gatePaths } from '../../src/core/paths.ts';
import { removeDatabase } from '../../src/store/index/database.ts';
import { type GateIndex, openIndex } from '../../src/store/index/open.ts';
import { rebuildIndex } from '../../src/store/index/rebuild.ts';
import { compileFilter } from '../../src/store/query/compile.ts';
import { createEventReader } from '../../src/store/query/events.ts';
import { searchEvents } from '../../src/store/query/search.ts';
import { sql } from '../../src/store/query/sql.ts';
import { phrasesOf } from '../../src/store/query/words.ts';
import { createProse, createRandom } from '../unit/store/random.ts';
import { fillRun, openQuickRun } from './support/ledgers.ts';
import { median, quantile, short } from './support/statistics.ts';

const [exchanges = 200_000, rounds = 5] = process.argv.slice(2).map(Number);
const RUNS = 10;
const TEXT_EXCHANGES = Math.max(100, Math.floor(exchanges / 50));
const REQUEST_BYTES = 6000;
const RESPONSE_BYTES = 2000;

interface Row {
  what: string;
  unit: string;
  median: number;
  min: number;
  max: number;
  figure: string;
  ok: boolean;
}

function row(what: string, unit: string, values: readonly number[], figure: number, most = false): Row {
  const middle = median(values);
  return {
    ...{ what, unit, median: short(middle) },
    ...{ min: short(Math.min(...values)), max: short(Math.max(...values)) },
    figure: `${most ? '<=' : '>='} ${figure}`,
    ok: most ? middle <= figure : middle >= figure,
  };
}

async function inHome<Result>(work: (paths: GatePaths) => Promise<Result>): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), 'gate-perf-'));
  try {
    return await work(gatePaths({ GATE_HOME: home }));
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Seconds of some work: by the clock, and of the processor, which other work on the machine does not lengthen. */
interface Times {
  readonly clock: number[];
  readonly cpu: number[];
}

async function timed(times: Times, work: () => Promise<unknown>): Promise<void> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  times.clock.push((performance.now() - started) / 1000);
  const { user, system } = process.cpuUsage(before);
  times.cpu.push((user + system) / 1e6);
}

function rateRows(what: string, unit: string, amount: number, times: Times, figure: number): Row[] {
  const rates = (seconds: readonly number[]): number[] => seconds.map((each) => amount / each);
  return [
    row(what, unit, rates(times.clock), figure),
    row(`${what}, of CPU time`, unit, rates(times.cpu), figure),
  ];
}

/** Folds from nothing; the first is left out: it warms the page cache and the compiler. */
async function foldTimes(paths: GatePaths, times: number): Promise<Times> {
  const found: Times = { clock: [], cpu: [] };
  for (let round = 0; round <= times; round += 1) {
    removeDatabase(paths.index);
    const index = await openIndex(paths);
    await timed(round > 0 ? found : { clock: [], cpu: [] }, () => index.catchUp());
    index.close();
  }
  return found;
}

/** Milliseconds of a hundred times. */
function queryTimes(query: () => unknown): number[] {
  return Array.from({ length: 100 }, () => {
    const started = performance.now();
    query();
    return performance.now() - started;
  });
}

/** What `gate events` and `gate search` ask: with flags, secrets and personal data of each that is listed. */
function queryRows({ database }: GateIndex, of: string, rare: string): Row[] {
  const reader = createEventReader(database);
  const last = database.prepare('SELECT max(run) FROM runs').pluck().get() as RunId;
  const list = (filter: string) => (): unknown => {
    const compiled = compileFilter(filter, {
      now: new Date(),
      kinds: { secret: [], pii: [] },
      findRun: () => last,
    });
    if ('problem' in compiled) throw new Error(compiled.problem.message);
    return reader.newest(compiled.where, 50);
  };
  const search = (words: string) => (): unknown => {
    const rows = searchEvents(database, phrasesOf(words), sql('TRUE'), 50);
    if (rows.length === 0) throw new Error(`nothing found: ${words}`);
    return rows.map(reader.listed);
  };
  const cases: [string, () => unknown, number][] = [
    [`newest 50, ${of}`, list(''), 5],
    [`newest 50 with a flag, ${of}`, list('flag:any'), 5],
    [`newest 50 with a secret, ${of}`, list('secret:any'), 5],
    [`newest 50 of the last run, ${of}`, list('run:last'), 5],
    [`none match, ${of}`, list('status:418'), 250],
    [`search, a word of all, ${of}`, search('v1'), 50],
    [`search, two words of all, ${of}`, search('v1 messages'), 50],
    [`search, a phrase of all, ${of}`, search('"v1 messages"'), 50],
    [`search, a rare word, ${of}`, search(rare), 50],
    [`search, a beginning, ${of}`, search(`${rare.slice(0, 2)}*`), 50],
  ];
  return cases.map(([what, query, figure]) => {
    const times = queryTimes(query);
    return row(`${what} (p99 ${short(quantile(times, 0.99))})`, 'ms', times, figure, true);
  });
}

async function withoutText(): Promise<Row[]> {
  return inHome(async (paths) => {
    for (let n = 0; n < RUNS; n += 1) {
      const run = openQuickRun(paths);
      fillRun(run, { exchanges: exchanges / RUNS });
      run.close();
    }
    const records = exchanges * 4 + RUNS * 2;
    const times = await foldTimes(paths, rounds);
    const index = await openIndex(paths);
    const rows = [
      ...rateRows('fold without text', 'records/s', records, times, 20_000),
      ...queryRows(index, `${exchanges} exchanges`, String(Math.floor(exchanges / RUNS / 2))),
    ];
    const idle = [];
    for (let n = 0; n < 20; n += 1) {
      const started = performance.now();
      await index.catchUp();
      idle.push(performance.now() - started);
    }
    rows.push(row(`nothing new in ${RUNS} runs`, 'ms', idle, 5, true));
    index.close();
    rows.push(
      row('size of the index', 'bytes/exchange', [statSync(paths.index).size / exchanges], 1000, true),
    );
    const rebuilt: Times = { clock: [], cpu: [] };
    for (let n = 0; n < Math.min(rounds, 2); n += 1) await timed(rebuilt, () => rebuildIndex(paths));
    rows.push(...rateRows('reindex without text', 'records/s', records, rebuilt, 20_000));
    return rows;
  });
}

async function withText(): Promise<Row[]> {
  return inHome(async (paths) => {
    const prose = createProse(createRandom(7));
    const run = openQuickRun(paths);
    let bytes = 0;
    fillRun(run, {
      exchanges: TEXT_EXCHANGES,
      text: (n) => {
        const request = JSON.stringify({
          messages: [{ role: 'user', content: `t${n} ${prose(REQUEST_BYTES)}` }],
        });
        const response = JSON.stringify({ content: prose(RESPONSE_BYTES) });
        bytes += request.length + response.length;
        return { request, response };
      },
    });
    run.close();
    const times = await foldTimes(paths, rounds);
    const index = await openIndex(paths);
    const rows = [
      ...rateRows('fold with text', 'MB/s', bytes / 1e6, times, 10),
      ...queryRows(index, `${TEXT_EXCHANGES} exchanges with ${short(bytes / 1e6)} MB of text`, 't77'),
    ];
    index.close();
    const size = statSync(paths.index).size;
    rows.push(row('size of the index, of its text', '%', [(size / bytes) * 100], 100, true));
    return rows;
  });
}

const rows = [...(await withoutText()), ...(await withText())];
console.table(rows);
console.log(JSON.stringify({ bench: 'index', exchanges, rounds, rows }));
