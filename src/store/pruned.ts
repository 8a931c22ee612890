import * as z from 'zod';
import type { RunId } from '../core/ids.ts';
import { readLedger } from './ledger-reader.ts';

/** Put behind the name of a folder that is being removed: what is left of it is no run. */
export const DOOMED = '.pruned';

/** What `actions.jsonl` says of a run that was pruned: how its files stood. A run without a ledger has no head. */
const PrunedEntry = z.looseObject({
  run: z.string(),
  records: z.int().optional(),
  head: z.string().optional(),
  packBytes: z.int().optional(),
});
export type PrunedEntry = z.infer<typeof PrunedEntry>;

/** The runs that were pruned, by what is on record. A missing file has none. */
export async function readPruned(actions: string): Promise<Map<RunId, PrunedEntry>> {
  const pruned = new Map<RunId, PrunedEntry>();
  for await (const { record } of readLedger(actions)) {
    if (record?.['type'] !== 'prune') continue;
    const runs = z.array(PrunedEntry).safeParse(record['runs']).data ?? [];
    for (const entry of runs) pruned.set(entry.run, entry);
  }
  return pruned;
}
