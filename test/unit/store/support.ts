import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { newRunId, type RunId } from '../../../src/core/ids.ts';
import { type GatePaths, gatePaths, runPaths } from '../../../src/core/paths.ts';
import { type AnyRecord, readLedger } from '../../../src/store/ledger-reader.ts';
import { openRun, type RunWriter } from '../../../src/store/run-writer.ts';

/** A folder of its own, gone after the test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gate-store-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function tempPaths(): GatePaths {
  return gatePaths({ GATE_HOME: tempDir() });
}

export interface TestRun {
  readonly run: RunId;
  readonly writer: RunWriter;
  readonly dir: string;
  readonly ledger: string;
  readonly pack: string;
}

export function openTestRun(paths = tempPaths()): TestRun {
  const run = newRunId();
  const files = runPaths(paths, run);
  const writer = openRun(files);
  return { run, writer, ...files };
}

export async function recordsOf(ledger: string): Promise<AnyRecord[]> {
  const records: AnyRecord[] = [];
  for await (const line of readLedger(ledger)) if (line.record !== undefined) records.push(line.record);
  return records;
}
