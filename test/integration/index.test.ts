import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type GatePaths, gatePaths } from '../../src/core/paths.ts';
import { openIndex } from '../../src/store/index/open.ts';
import { rebuildIndex } from '../../src/store/index/rebuild.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';
import { dump } from '../unit/store/index/support.ts';

let home: string;
let paths: GatePaths;
const children: ChildProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-index-'));
  paths = gatePaths({ GATE_HOME: home });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

interface Worker {
  /** Resolves when it has opened the index. */
  readonly ready: Promise<void>;
  /** Lets it fold once more and end; gives its exit code. */
  finish(): Promise<number | null>;
}

function start(script: string, args: readonly string[]): Worker {
  const tsx = createRequire(import.meta.url).resolve('tsx');
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', tsx, file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const ended = once(child, 'close');
  child.stdout?.resume();
  return {
    ready: once(child.stdout ?? child, 'data').then(() => undefined),
    async finish() {
      child.stdin?.end();
      const [code] = await ended;
      return code;
    },
  };
}

async function record(exchanges: number): Promise<string> {
  const run = await startRecord(paths, startFacts());
  for (let n = 0; n < exchanges; n += 1) {
    const exchange = await run.recorder.request(requestFacts(), {
      kind: 'whole',
      bytes: Buffer.from(`{"number":"word${n}","text":"${'some text '.repeat(n % 20)}"}`),
    });
    await exchange.response(responseFacts());
    await exchange.responseData(Buffer.from(`{"answer":${n}}`));
    await exchange.end(endFacts());
  }
  await run.end({ exitCode: 0 });
  return run.run;
}

const RUNS = 3;
const EXCHANGES = 150;

// promise: reindex
it('four processes fold, two make it anew, and runs record: no error, and no row lost or doubled', {
  timeout: 120_000,
}, async () => {
  const workers = [
    ...Array.from({ length: 4 }, () => start('./index-fold.ts', [home])),
    ...Array.from({ length: 2 }, () => start('./index-fold.ts', [home, 'reindex'])),
  ];
  await Promise.all(workers.map(({ ready }) => ready));
  await Promise.all(Array.from({ length: RUNS }, () => record(EXCHANGES)));
  const codes = await Promise.all(workers.map((worker) => worker.finish()));
  expect(codes).toEqual(workers.map(() => 0));

  const index = await openIndex(paths);
  await index.catchUp();
  const found = dump(index.database);
  expect(found['events']).toHaveLength(RUNS * EXCHANGES);
  expect(new Set(found['events']?.map(({ of, seq }) => `${of}:${seq}`)).size).toBe(RUNS * EXCHANGES);
  expect(found['events']?.every(({ outcome }) => outcome === 'complete')).toBe(true);
  expect(index.database.pragma('integrity_check', { simple: true })).toBe('ok');
  index.database.exec(`INSERT INTO words (words) VALUES ('integrity-check')`);
  await rebuildIndex(paths);
  expect(dump(index.database)).toEqual(found);
  index.close();
});
