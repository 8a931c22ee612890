import { existsSync, statSync } from 'node:fs';
import type { Finding } from './finding.ts';
import { scanPack } from './pack-scan.ts';
import type { RunInfo } from './runs.ts';

/** Whether the pack is as long as heads.jsonl says that it was. */
export function packSize(info: RunInfo): Finding[] {
  const expected = info.heads?.ended?.packBytes;
  const found = statSync(info.pack, { throwIfNoEntry: false })?.size;
  if (expected === undefined || found === undefined || found === expected) return [];
  const kind = found < expected ? 'pack_truncated' : 'pack_appended';
  const message = `bodies.pack has ${found} bytes, and had ${expected} when the run ended`;
  return [{ level: 'error', kind, file: 'pack', run: info.run, message }];
}

/** What was streamed before a kill is in no record: at least its frames must be whole, but for the last. */
export async function packFrames({ run, pack }: RunInfo): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (!existsSync(pack)) return findings;
  for await (const item of scanPack(pack)) {
    if (item.kind === 'frame') continue;
    const where = `${item.length} bytes at ${item.position} of bodies.pack`;
    const torn = `the pack ends in ${where} that are no whole frame`;
    findings.push(
      item.atEnd
        ? { level: 'note', kind: 'torn_tail', file: 'pack', run, message: torn }
        : { level: 'error', kind: 'body_damaged', file: 'pack', run, message: `${where} are no frame` },
    );
  }
  return findings;
}
