/**
 * What a long conversation costs on disk: 100 turns that resend their history, everything in the run's folder,
 * against gzip of the last body alone, gzip of every body, and base64 in JSONL.
 * Arguments: sizes of a turn (1500 3000 6000 20000). Run: node --import tsx test/perf/storage.ts
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RunRecord } from '../../src/capture/run-record.ts';
import { gatePaths, runPaths } from '../../src/core/paths.ts';
import { findRun } from '../../src/store/runs.ts';
import { verifyRun } from '../../src/store/verify.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';
import { createProse, createRandom } from '../unit/store/random.ts';

/** What goes with a turn besides its request: nothing, a JSON answer, a streamed one, and an analysis of it all. */
const ANSWERS = ['none', 'json', 'events', 'analysed'] as const;
type Answer = (typeof ANSWERS)[number];
type Coding = 'plain' | 'gzip' | 'zstd';

const TURNS = 100;

interface Row {
  turnBytes: number;
  coding: Coding;
  answer: Answer;
  gzipOfLastKb: number;
  ledgerKb: number;
  packKb: number;
  /** Everything in the folder, relative to the gzip of the last body (and of the answers, which are in no body). */
  folderRatio: number;
  packRatio: number;
  /** Bodies as gzip files each, and as base64 in a line of JSON, of requests alone. */
  gzipEachRatio: number;
  base64Ratio: number;
  ledgerBytesPerTurn: number;
}

/** The answer as a model streams it: an event for every few words. */
function eventsOf(text: string): string[] {
  const words = text.match(/(?:\S+\s+){1,3}/g) ?? [text];
  return words.map(
    (delta, index) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: delta }, n: index })}\n\n`,
  );
}

function encode(bytes: Buffer, coding: Coding): Buffer {
  if (coding === 'plain') return bytes;
  return coding === 'gzip'
    ? gzipSync(bytes)
    : execFileSync('zstd', ['-c', '-q'], { input: bytes, maxBuffer: 2 ** 26 });
}

interface Turn {
  readonly record: RunRecord;
  readonly body: Buffer;
  readonly coding: Coding;
  readonly answer: Answer;
  readonly newest: { role: string; content: string };
  readonly text: string;
}

/** One exchange as the recorder sees it, and its analysis as the analysis worker makes it. */
async function exchangeOf({ record, body, coding, answer, newest, text }: Turn): Promise<void> {
  const headers: [string, string][] = coding === 'plain' ? [] : [['Content-Encoding', coding]];
  const facts = requestFacts();
  const exchange = await record.recorder.request(
    { ...facts, headers: [...facts.headers, ...headers] },
    { kind: 'whole', bytes: encode(body, coding) },
  );
  const isStream = answer === 'events' || answer === 'analysed';
  const type = isStream ? 'text/event-stream' : 'application/json';
  await exchange.response(responseFacts({ headers: [['content-type', type]] }));
  const pieces = answer === 'none' ? [] : isStream ? eventsOf(text) : [JSON.stringify({ text })];
  for (const piece of pieces) await exchange.responseData(Buffer.from(piece));
  await exchange.end(endFacts());
  if (answer !== 'analysed') return;
  const content = { newMessages: [newest], text, thinking: '', toolCalls: [], toolResults: [] };
  const fields = { id: exchange.id, flags: [], secrets: [], pii: { request: {}, response: {} }, llm: LLM };
  const seq = Number(exchange.id.split(':')[1]);
  await record.analysis(
    seq,
    { ...fields, parser: 'anthropic', parserVersion: 1 },
    Buffer.from(JSON.stringify(content)),
  );
}

/** As a record of a streamed call of the Messages API has it. */
const LLM = {
  ...{ provider: 'anthropic', api: 'messages', model: 'some-model', session: null, sessionSource: null },
  ...{ stream: true, stopReason: 'end_turn', costUsd: null, newMessages: 1, toolCalls: [], toolResults: [] },
  usage: { input: 1200, output: 150, cacheRead: 30000, cacheWrite: 800, reasoning: 0 },
};

async function converse(home: string, turnBytes: number, coding: Coding, answer: Answer): Promise<Row> {
  const paths = gatePaths({ GATE_HOME: home });
  const prose = createProse(createRandom(turnBytes));
  const facts = startFacts();
  const record = await startRecord(paths, facts);
  const messages: { role: string; content: string }[] = [];
  let body: Buffer = Buffer.alloc(0);
  const sums = { gzip: 0, base64: 0 };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const newest = { role: turn % 2 === 0 ? 'user' : 'assistant', content: prose(turnBytes) };
    messages.push(newest);
    body = Buffer.from(JSON.stringify({ model: 'some-model', max_tokens: 32000, stream: true, messages }));
    // Whoever keeps the wire's bytes cannot compress them again.
    const wire = encode(body, coding);
    sums.gzip += coding === 'plain' ? gzipSync(wire).length : wire.length;
    sums.base64 += Math.ceil(wire.length / 3) * 4;
    await exchangeOf({ record, body, coding, answer, newest, text: prose(600) });
  }
  await record.end({ exitCode: 0 });
  const verdict = await verifyRun(findRun(paths, facts.run));
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.findings));
  const files = runPaths(paths, facts.run);
  if (turnBytes === 3000 && coding === 'plain')
    budgets.push(...budgetOf(readFileSync(files.ledger, 'utf8'), answer));
  const [ledger, pack] = [statSync(files.ledger).size, statSync(files.pack).size];
  const gzip = gzipSync(body).length;
  const ratio = (size: number): number => Math.round((size / gzip) * 100) / 100;
  const kb = (size: number): number => Math.round(size / 1000);
  return {
    ...{ turnBytes, coding, answer, gzipOfLastKb: kb(gzip), ledgerKb: kb(ledger), packKb: kb(pack) },
    folderRatio: ratio(ledger + pack),
    packRatio: ratio(pack),
    gzipEachRatio: ratio(sums.gzip),
    base64Ratio: ratio(sums.base64),
    ledgerBytesPerTurn: Math.round(ledger / TURNS),
  };
}

/** Where the ledger's bytes go: of each type, on average. */
interface Budget {
  answer: Answer;
  type: string;
  bytes: number;
  /** v, seq, type, at, prev and the exchange's id. */
  envelope: number;
  /** Lengths, hashes and extents of bodies. */
  bodies: number;
  headers: number;
  rest: number;
}

const BODIES = ['body', 'requestBody', 'responseBody', 'content'];
const ENVELOPE = ['v', 'seq', 'type', 'at', 'prev', 'id'];

function budgetOf(ledger: string, answer: Answer): Budget[] {
  const records = ledger
    .trim()
    .split('\n')
    .map((line) => ({ line, record: JSON.parse(line) as Record<string, unknown> }));
  return ['request', 'response', 'end', 'analysis'].flatMap((type) => {
    const own = records.filter(({ record }) => record['type'] === type);
    if (own.length === 0) return [];
    const mean = (of: (each: (typeof own)[number]) => number): number =>
      Math.round(own.reduce((sum, each) => sum + of(each), 0) / own.length);
    const fields = (names: readonly string[]) =>
      mean(({ record }) =>
        Object.entries(record)
          .filter(([name]) => names.includes(name))
          .reduce((sum, [name, value]) => sum + name.length + 4 + JSON.stringify(value).length, 0),
      );
    const bytes = mean(({ line }) => line.length + 1);
    const [envelope, bodies, headers] = [fields(ENVELOPE), fields(BODIES), fields(['headers'])];
    return [{ answer, type, bytes, envelope, bodies, headers, rest: bytes - envelope - bodies - headers }];
  });
}

const budgets: Budget[] = [];
const rows: Row[] = [];
const hasZstd = spawnSync('zstd', ['--version']).status === 0;
if (!hasZstd) console.log('no zstd program here: requests are compressed with gzip instead');

async function add(turnBytes: number, coding: Coding, answer: Answer): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'gate-perf-'));
  rows.push(await converse(home, turnBytes, coding, answer));
  rmSync(home, { recursive: true });
}

const sizes = process.argv.slice(2).map(Number);
for (const turnBytes of sizes.length > 0 ? sizes : [1500, 3000, 6000, 20_000]) {
  for (const answer of ANSWERS) await add(turnBytes, 'plain', answer);
  await add(turnBytes, hasZstd ? 'zstd' : 'gzip', 'none');
}
console.table(rows);
console.table(budgets);
console.log(JSON.stringify({ bench: 'storage', turns: TURNS, rows, budgets }));
