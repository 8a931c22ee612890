import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { gatePaths, runPaths } from '../../src/core/paths.ts';
import { readLedger } from '../../src/store/ledger-reader.ts';
import { openPackReader } from '../../src/store/pack-reader.ts';
import { scanPack } from '../../src/store/pack-scan.ts';
import { findRun, markInterrupted } from '../../src/store/runs.ts';
import { verify, verifyRun } from '../../src/store/verify.ts';
import { startRecord } from '../helpers/record.ts';
import { requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';

const ROUNDS = 20;
const isRoot = process.getuid?.() === 0;
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function tempHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'gate-record-'));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

function start(script: string, args: string[]): { child: ChildProcess; lines: string[] } {
  const tsx = createRequire(import.meta.url).resolve('tsx');
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', tsx, file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { child, lines };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Ids by what was said of them. */
function idsOf(lines: string[], word: string): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

async function recordedIds(ledger: string): Promise<Record<'request' | 'end', Set<unknown>>> {
  const found = { request: new Set<unknown>(), end: new Set<unknown>() };
  for await (const { record } of readLedger(ledger)) {
    const type = record?.['type'];
    if (type === 'request' || type === 'end') found[type].add(record?.['id']);
  }
  return found;
}

describe('a gate that is killed', () => {
  it(`has every acknowledged exchange on record, ${ROUNDS} times`, { timeout: 240_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const home = tempHome();
      const paths = gatePaths({ GATE_HOME: home });
      const { child, lines } = start('./store-load.ts', [home, String(1 + (round % 4) * 8)]);
      // Somewhere in the middle of the work, another place each time.
      await until(() => lines.length > 10 + round * 40);
      child.kill('SIGKILL');
      await once(child, 'close');
      expect(markInterrupted(paths)).toHaveLength(1);
      const info = findRun(paths, 'last');
      const found = await recordedIds(info.ledger);
      for (const id of idsOf(lines, 'request')) expect(found.request.has(id)).toBe(true);
      for (const id of idsOf(lines, 'end')) expect(found.end.has(id)).toBe(true);
      const verdict = await verifyRun(info);
      expect(verdict.findings.filter(({ level }) => level !== 'note')).toEqual([]);
      expect(verdict.findings.map(({ kind }) => kind)).toContain('interrupted');
      for await (const item of scanPack(info.pack)) expect(item.kind === 'frame' || item.atEnd).toBe(true);
    }
  });
});

describe('a disk that is full', () => {
  it('fails every promise, tears at most the last line, and never writes on', async ({ skip }) => {
    skip(!isRoot || process.platform !== 'linux', 'a small tmpfs needs root on Linux');
    const home = tempHome();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', home], {
      encoding: 'utf8',
    });
    skip(mounted.status !== 0, `no tmpfs to be had here: ${mounted.stderr.trim()}`);
    cleanups.push(() => spawnSync('umount', ['-l', home]));
    const { child, lines } = start('./store-load.ts', [home, '8']);
    const [code] = await once(child, 'close');
    expect(code).toBe(125);
    expect(lines).toContain('failed audit_unavailable');
    expect(lines).toContain('rejected audit_unavailable');
    const info = findRun(gatePaths({ GATE_HOME: home }), 'last');
    const found = await recordedIds(info.ledger);
    for (const id of idsOf(lines, 'request')) expect(found.request.has(id)).toBe(true);
    const verdict = await verifyRun(info);
    expect(verdict.findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(verdict.records).toBeGreaterThan(20);
  });
});

describe('a folder that cannot be written', () => {
  it('starts nothing and says why', async () => {
    const home = tempHome();
    const data = join(home, 'data');
    mkdirSync(data);
    let undo = (): unknown => chmodSync(data, 0o700);
    if (isRoot) {
      // Root writes where it likes: a file in the way stops it too.
      rmSync(data, { recursive: true });
      const made = spawnSync('sh', ['-c', `echo > '${data}'`]);
      expect(made.status).toBe(0);
      undo = () => undefined;
    } else {
      chmodSync(data, 0o500);
    }
    await expect(startRecord(gatePaths({ GATE_HOME: home }), startFacts())).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
    undo();
  });
});

describe('four processes at once', () => {
  it('share heads.jsonl and actions.jsonl without a lost or a broken line', { timeout: 60_000 }, async () => {
    const home = tempHome();
    const paths = gatePaths({ GATE_HOME: home });
    const writers = Array.from({ length: 4 }, () => start('./store-heads.ts', [home, '40']).child);
    const killed = start('./store-heads.ts', [home, '100000']).child;
    setTimeout(() => killed.kill('SIGKILL'), 900);
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'close'))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    const verdict = await verify(paths);
    const findings = verdict.findings.filter(
      ({ kind, level }) => kind !== 'missing_run' && level === 'error',
    );
    expect(findings).toEqual([]);
    const lines = readFileSync(paths.actions, 'utf8').trimEnd().split('\n');
    for (const child of writers) {
      expect(lines.filter((line) => line.includes(`"pid":${child.pid},`))).toHaveLength(40);
    }
  });
});

describe('a body of 50 MB', () => {
  it.each(['text/plain', 'application/octet-stream'])('streams through in flat memory: %s', async (type) => {
    const home = tempHome();
    const facts = startFacts();
    const record = await startRecord(gatePaths({ GATE_HOME: home }), facts);
    const exchange = await record.recorder.request(requestFacts(), { kind: 'none' });
    await exchange.response(responseFacts({ headers: [['content-type', type]] }));
    const piece = Buffer.alloc(64 * 1024);
    let peak = 0;
    const before = process.memoryUsage().rss;
    for (let n = 0; n < 800; n += 1) {
      piece.fill(`${n} some text that is not all the same ${n * 7919} `);
      await exchange.responseData(piece);
      if (n % 20 === 0) peak = Math.max(peak, process.memoryUsage().rss);
    }
    await exchange.end({ outcome: 'complete', timing: { totalMs: 1 } });
    await record.end({});
    expect(peak - before).toBeLessThan(120 * 1024 * 1024);
    const verdict = await verifyRun(findRun(gatePaths({ GATE_HOME: home }), 'last'));
    expect(verdict).toMatchObject({ ok: true, bodies: 1 });
    const reader = await openPackReader(runPaths(gatePaths({ GATE_HOME: home }), facts.run).pack);
    await reader.close();
    expect(statSync(runPaths(gatePaths({ GATE_HOME: home }), facts.run).pack).mode & 0o777).toBe(0o600);
  });
});
