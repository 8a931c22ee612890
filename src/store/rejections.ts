import { statSync } from 'node:fs';
import type { GatePaths } from '../core/paths.ts';
import { RefusedRecord } from '../core/record.ts';
import { readLedger } from './ledger-reader.ts';
import { whyUnreadable } from './readable.ts';
import { listRuns } from './runs.ts';

/** A host whose clients turned down gate's certificate. */
export interface Rejected {
  readonly host: string;
  readonly port: number;
  readonly count: number;
}

export interface RejectionLimits {
  /** Only runs that wrote since then, milliseconds since 1970. */
  readonly since: number;
  /** Of ledgers, in all: the newest runs are read, and no run after so many bytes. */
  readonly bytes: number;
}

/** What the newest runs recorded of clients that do not take gate's certificate, most frequent first. */
export async function readRejections(paths: GatePaths, limits: RejectionLimits): Promise<Rejected[]> {
  const found = new Map<string, Rejected>();
  let left = limits.bytes;
  for (const info of listRuns(paths).reverse()) {
    const stat = statSync(info.ledger, { throwIfNoEntry: false });
    if (stat === undefined || stat.mtimeMs < limits.since || whyUnreadable(info) !== undefined) continue;
    left -= stat.size;
    if (left < 0) break;
    for await (const { record } of readLedger(info.ledger)) {
      const refused = RefusedRecord.safeParse(record).data;
      if (refused?.reason !== 'certificate_rejected') continue;
      const { host = refused.address, port, count } = refused;
      if (host === undefined || port === undefined) continue;
      const key = `${host} ${port}`;
      found.set(key, { host, port, count: (found.get(key)?.count ?? 0) + count });
    }
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}
