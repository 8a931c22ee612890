/**
 * What a long conversation costs on disk: 100 turns that resend their history, everything in the run's folder,
 * against gzip of the last body alone, gzip of every body, and base64 in JSONL.
 * Run: node --import tsx test/perf/storage.ts
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { gatePaths, runPaths } from '../../src/core/paths.ts';
import { findRun } from '../../src/store/runs.ts';
import { verifyRun } from '../../src/store/verify.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';
import { createProse, createRandom } from '../unit/store/random.ts';

type Answer = 'none' | 'json' | 'events';

const TURNS = 100;

interface Row {
  turnBytes: number;
  answer: Answer;
  lastBodyKb: number;
  gzipOfLastKb: number;
  folderKb: number;
  ledgerKb: number;
  packKb: number;
  /** Everything in the folder, relative to the gzip of the last body (and of the answers, which are in no body). */
  folderRatio: number;
  packRatio: number;
  gzipEachRatio: number;
  base64Ratio: number;
}

/** The answer as a model streams it: an event for every few words. */
function eventsOf(text: string): string[] {
  const words = text.match(/(?:\S+\s+){1,3}/g) ?? [text];
  return words.map(
    (delta, index) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: delta }, n: index })}\n\n`,
  );
}

async function converse(home: string, turnBytes: number, answer: Answer): Promise<Row> {
  const paths = gatePaths({ GATE_HOME: home });
  const prose = createProse(createRandom(turnBytes));
  const facts = startFacts();
  const record = await startRecord(paths, facts);
  const messages: { role: string; content: string }[] = [];
  let last = '';
  const sums = { gzip: 0, base64: 0 };
  for (let turn = 0; turn < TURNS; turn += 1) {
    messages.push({ role: turn % 2 === 0 ? 'user' : 'assistant', content: prose(turnBytes) });
    last = JSON.stringify({ model: 'some-model', max_tokens: 32000, stream: true, messages });
    const bytes = Buffer.from(last);
    sums.gzip += gzipSync(bytes).length;
    sums.base64 += Math.ceil(bytes.length / 3) * 4;
    const exchange = await record.recorder.request(requestFacts(), { kind: 'whole', bytes });
    const type = answer === 'events' ? 'text/event-stream' : 'application/json';
    await exchange.response(responseFacts({ headers: [['content-type', type]] }));
    const text = prose(600);
    const pieces = answer === 'none' ? [] : answer === 'json' ? [JSON.stringify({ text })] : eventsOf(text);
    for (const piece of pieces) await exchange.responseData(Buffer.from(piece));
    await exchange.end(endFacts());
  }
  await record.end({ exitCode: 0 });
  const verdict = await verifyRun(findRun(paths, facts.run));
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.findings));
  const files = runPaths(paths, facts.run);
  const [ledger, pack] = [statSync(files.ledger).size, statSync(files.pack).size];
  const gzip = gzipSync(last).length;
  const ratio = (size: number): number => Math.round((size / gzip) * 100) / 100;
  const kb = (size: number): number => Math.round(size / 1000);
  return {
    turnBytes,
    answer,
    lastBodyKb: kb(last.length),
    gzipOfLastKb: kb(gzip),
    folderKb: kb(ledger + pack),
    ledgerKb: kb(ledger),
    packKb: kb(pack),
    folderRatio: ratio(ledger + pack),
    packRatio: ratio(pack),
    gzipEachRatio: ratio(sums.gzip),
    base64Ratio: ratio(sums.base64),
  };
}

const rows: Row[] = [];
for (const turnBytes of [1500, 3000, 6000]) {
  for (const answer of ['none', 'json', 'events'] as const) {
    const home = mkdtempSync(join(tmpdir(), 'gate-perf-'));
    rows.push(await converse(home, turnBytes, answer));
    rmSync(home, { recursive: true });
  }
}
console.table(rows);
console.log(JSON.stringify({ bench: 'storage', turns: TURNS, rows }));
