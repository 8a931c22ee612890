import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunId } from '../../../../src/core/ids.ts';
import { type GatePaths, runPaths } from '../../../../src/core/paths.ts';
import { createHeads } from '../../../../src/store/heads.ts';
import { type GateIndex, openIndex } from '../../../../src/store/index/open.ts';
import { rebuildIndex } from '../../../../src/store/index/rebuild.ts';
import { startRecord } from '../../../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../../capture/facts.ts';
import { tempPaths } from '../support.ts';
import { dump, search } from './support.ts';
import { recordTraffic } from './traffic.ts';

let paths: GatePaths;
let index: GateIndex;

beforeEach(async () => {
  paths = tempPaths();
  index = await openIndex(paths);
});
afterEach(() => index.close());

const LINE_BY_LINE = { limits: { bytes: 1, text: 1 } };

/** Records one of everything, and ends the run. */
async function recorded(): Promise<{ ledger: string; pack: string; dir: string; run: string }> {
  const record = await recordTraffic(paths);
  await record.end({ exitCode: 3 });
  return { run: record.run, ...runPaths(paths, record.run) };
}

/** The same, as it is found when gate was killed in the middle of a line. */
async function interrupted(): Promise<void> {
  const record = await recordTraffic(paths);
  const { ledger } = runPaths(paths, record.run);
  const soFar = readFileSync(ledger);
  await record.end({});
  writeFileSync(ledger, Buffer.concat([soFar, Buffer.from('{"v":1,"seq":')]));
}

const eventsOf = (of: GateIndex = index) => dump(of.database)['events'] ?? [];

test('an exchange is there with its first record, and complete with its last', async () => {
  const record = await startRecord(paths, startFacts());
  const bytes = Buffer.from('{"say":"line one\\nneedle \\u00e9t\\u00e9"}');
  const exchange = await record.recorder.request(requestFacts(), { kind: 'whole', bytes });
  await index.catchUp();
  expect(eventsOf()).toMatchObject([{ kind: 'exchange', host: 'api.example.com', outcome: null }]);
  expect(search(index.database, 'needle')).toEqual([exchange.id]);
  await exchange.response(responseFacts());
  await exchange.responseData(Buffer.from('{"answer":"haystack"}'));
  await exchange.end(endFacts());
  await index.catchUp();
  expect(eventsOf()).toMatchObject([
    { outcome: 'complete', status: 200, request_bytes: bytes.length, response_bytes: 21, total_ms: 1.5 },
  ]);
  for (const words of ['needle', 'ete', 'haystack', 'api', 'messages', '"one needle"']) {
    expect(search(index.database, words), words).toEqual([exchange.id]);
  }
  await record.end({});
});

describe('what the records say', () => {
  test('is in the row of their event', async () => {
    await recorded();
    await index.catchUp();
    const byUrl = (part: string) => eventsOf().filter(({ url }) => String(url).includes(part));
    expect(byUrl('v1/messages')).toMatchObject([
      {
        severity: 4,
        secrets: 1,
        pii: 1,
        tool_calls: '["Tool1"]',
        tokens_in: 10,
        cost_usd: 0.5,
        session: 's1',
      },
      {
        severity: 4,
        secrets: 1,
        pii: 1,
        tool_calls: '["Tool1"]',
        tokens_in: 10,
        cost_usd: 0.5,
        session: 's1',
      },
    ]);
    expect(byUrl('socket')).toMatchObject([
      {
        ...{ messages: 6, severity: 3, tool_calls: '["Call0","Call2"]', tokens_in: 20, cost_usd: 1 },
        ...{ request_bytes: 45, response_bytes: 45, status: 101 },
      },
    ]);
    expect(byUrl('/open')).toMatchObject([{ outcome: 'gate_stopped', tool_calls: null }]);
    expect(eventsOf().filter(({ kind }) => kind === 'tunnel')).toMatchObject([
      { host: 'pinned.example.com', request_bytes: 12, response_bytes: 3400, outcome: 'complete' },
      { host: 'open.example.com' },
    ]);
    const refused = eventsOf().filter(({ kind }) => kind === 'refused');
    expect(refused).toMatchObject([
      { host: '192.0.2.1', port: 22, reason: 'port_not_captured', protocol: 'tcp', count: 1 },
      { count: 2 },
    ]);
    expect(dump(index.database)['runs']).toMatchObject([
      { mode: 'airtight', agent: 'agent', git_branch: 'topic', exit_code: 3, damaged: 0 },
    ]);
  });

  test('is found by its words: model calls by their texts, other exchanges by their bodies', async () => {
    await recorded();
    await index.catchUp();
    const urls = (words: string) => search(index.database, words).length;
    expect({
      call: urls('zebra'),
      tool: urls('tools:zebrastripe'),
      resent: urls('rawbody'),
      streamed: urls('quagga'),
      compressed: urls('aardvark'),
      url: urls('url:bucher'),
      space: urls('url:place'),
      covered: urls('wombat1'),
      uncovered: urls('wombat4'),
      control: urls('wombat5'),
      socket: urls('numbat2'),
      tunnel: urls('host:pinned'),
      refused: urls('host:"192.0.2.1"'),
    }).toEqual({
      ...{ call: 1, tool: 1, resent: 0, streamed: 1, compressed: 1, url: 1, space: 1 },
      ...{ covered: 0, uncovered: 1, control: 0, socket: 1, tunnel: 1, refused: 2 },
    });
  });
});

// promise: reindex
test('the index is the same folded line by line, at once, and anew; of an interrupted run too', async () => {
  await interrupted();
  await recorded();
  await index.catchUp(LINE_BY_LINE);
  const byLine = dump(index.database);
  expect(byLine['words']?.length).toBeGreaterThan(50);
  await rebuildIndex(paths);
  expect(dump(index.database)).toEqual(byLine);
  const fresh = { ...paths, index: `${paths.index}.other` };
  const other = await openIndex(fresh);
  await other.catchUp();
  expect(dump(other.database)).toEqual(byLine);
  other.close();
  expect(eventsOf().filter(({ outcome, kind }) => outcome === null && kind !== 'refused')).toHaveLength(2);
});

describe('what was open when its gate died', () => {
  const outcomes = (): unknown[] => eventsOf().map(({ url, outcome }) => [url, outcome]);
  const urlOf = (n: number): string => `https://api.example.com/${n}`;
  const died = (run: RunId): void =>
    createHeads(paths).interrupted(() => [{ run, records: 1, head: '0'.repeat(64), packBytes: 0 }]);

  test('ended with it, in the index as it is and in one that is made anew', async () => {
    const record = await startRecord(paths, startFacts());
    const exchange = await record.recorder.request(requestFacts({ url: urlOf(1) }), { kind: 'none' });
    await exchange.response(responseFacts());
    await exchange.end(endFacts());
    await record.recorder.request(requestFacts({ url: urlOf(2) }), { kind: 'none' });
    record.recorder.refused({ proto: 'tcp', address: '192.0.2.1', port: 22, reason: 'port_not_captured' });
    await index.catchUp();
    const open = [
      [urlOf(1), 'complete'],
      [urlOf(2), null],
      [null, null],
    ];
    expect(outcomes()).toEqual(expect.arrayContaining(open));
    died(record.run);
    await index.catchUp();
    const cut = open.map(([url, outcome]) => [url, url === urlOf(2) ? 'gate_stopped' : outcome]);
    expect(outcomes()).toEqual(expect.arrayContaining(cut));
    await rebuildIndex(paths);
    expect(outcomes()).toEqual(expect.arrayContaining(cut));
    await record.end({});
  });

  test('has the outcome of its record after all, where the gate was only held for dead', async () => {
    const record = await startRecord(paths, startFacts());
    const exchange = await record.recorder.request(requestFacts({ url: urlOf(1) }), { kind: 'none' });
    died(record.run);
    await index.catchUp();
    expect(outcomes()).toEqual([[urlOf(1), 'gate_stopped']]);
    await record.recorder.request(requestFacts({ url: urlOf(2) }), { kind: 'none' });
    await exchange.end(endFacts());
    await index.catchUp();
    expect(outcomes().sort()).toEqual([
      [urlOf(1), 'complete'],
      [urlOf(2), 'gate_stopped'],
    ]);
    await record.end({});
  });
});

describe('a ledger that is not as it should be', () => {
  test('a torn last line is left until it is whole', async () => {
    const { ledger } = await recorded();
    const whole = readFileSync(ledger);
    truncateSync(ledger, whole.length - 10);
    await index.catchUp();
    expect(dump(index.database)['runs']).toMatchObject([{ ended: null, damaged: 0 }]);
    appendFileSync(ledger, whole.subarray(-10));
    await index.catchUp();
    expect(dump(index.database)['runs']).toMatchObject([{ exit_code: 3, folded: whole.length }]);
  });

  test('a damaged line is counted and hides nothing after it', async () => {
    const { ledger } = await recorded();
    await index.catchUp();
    const all = eventsOf().length;
    const lines = readFileSync(ledger, 'utf8').split('\n');
    lines[1] = `x${lines[1]?.slice(1)}`;
    writeFileSync(ledger, lines.join('\n'));
    const result = await openIndex({ ...paths, index: `${paths.index}.other` });
    expect(await result.catchUp()).toMatchObject({ damaged: 1 });
    // Its response, end and analysis are still there; only what the line itself said is not.
    expect(eventsOf(result)).toHaveLength(all);
    expect(eventsOf(result)[0]).toMatchObject({ seq: 1, url: null, status: 200, outcome: 'complete' });
    result.close();
  });

  test('one that was edited or cut since is folded anew', async () => {
    const { ledger } = await recorded();
    await index.catchUp();
    const text = readFileSync(ledger, 'utf8');
    writeFileSync(
      ledger,
      text.replaceAll('pinned.example.com', 'edited.example.com').replace('exitCode":3', 'exitCode":4'),
    );
    await index.catchUp();
    expect(search(index.database, 'pinned')).toEqual([]);
    expect(search(index.database, 'edited')).toHaveLength(1);
    const lines = text.split('\n').slice(0, 5);
    writeFileSync(ledger, `${lines.join('\n')}\n`);
    await index.catchUp();
    expect(eventsOf()).toHaveLength(1);
    const short = dump(index.database);
    await rebuildIndex(paths);
    expect(dump(index.database)).toEqual(short);
  });

  test('a run whose folder is gone is taken out', async () => {
    const { dir } = await recorded();
    const { run } = await recorded();
    await index.catchUp();
    rmSync(dir, { recursive: true });
    await index.catchUp();
    const left = dump(index.database);
    expect(left['runs']).toMatchObject([{ run }]);
    for (const table of ['events', 'words', 'pieces', 'flags', 'spans', 'calls']) {
      expect(new Set(left[table]?.map(({ of }) => String(of).split(':')[0])), table).toEqual(new Set([run]));
    }
  });

  test('missing bodies are counted and stop nothing', async () => {
    const { pack } = await recorded();
    rmSync(pack);
    const result = await index.catchUp();
    expect(result.lostBodies).toBeGreaterThan(5);
    expect(search(index.database, 'host:files')).toHaveLength(1);
    expect(search(index.database, 'quagga')).toEqual([]);
  });

  test('values of any type in any field of any record stop nothing', { timeout: 30_000 }, async () => {
    const { ledger, run } = await recorded();
    const lines = readFileSync(ledger, 'utf8').trimEnd().split('\n');
    const strange: unknown[] = [
      null,
      -1,
      1.5,
      1e300,
      '',
      'x'.repeat(3),
      true,
      [],
      {},
      [[]],
      [{}],
      '\u0000\ud800',
    ];
    let at = 0;
    let text = lines.join('\n');
    for (const line of lines) {
      const record: Record<string, unknown> = JSON.parse(line);
      for (const field of Object.keys(record)) {
        for (const value of [strange[at++ % strange.length], { [field]: record[field] }]) {
          text += `\n${JSON.stringify({ ...record, [field]: value })}`;
        }
      }
      for (const id of [`${run}:999999999999999`, `${run}:-1`, 'other:1', `${run}:268435456`, `${run}:0`]) {
        text += `\n${JSON.stringify({ ...record, id })}`;
      }
    }
    writeFileSync(ledger, `${text}\n"text"\n[]\nnull\n{}\n\n`);
    const { records, damaged } = await index.catchUp();
    expect(damaged).toBe(4);
    expect(records).toBeGreaterThan(1000);
    expect(dump(index.database)['runs']).toMatchObject([{ folded: statSync(ledger).size }]);
  });
});
