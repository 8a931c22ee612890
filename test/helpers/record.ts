import { openRecord, type RunRecord, type RunStartFacts } from '../../src/capture/run-record.ts';
import type { GatePaths } from '../../src/core/paths.ts';

/** Opens the record of a run and begins it at once, as a run does whose jail stands already. */
export async function startRecord(paths: GatePaths, { run, ...start }: RunStartFacts): Promise<RunRecord> {
  return await openRecord(paths, run).begin(start);
}
