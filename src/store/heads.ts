import * as z from 'zod';
import type { RunId } from '../core/ids.ts';
import type { GatePaths } from '../core/paths.ts';
import { Sha256 } from '../core/sha256.ts';
import { createChainedLog, type LogHead, type NewRecord, readText } from './chained-log.ts';
import { parseRecord } from './ledger-reader.ts';
import { ownIdentity, ProcessIdentity } from './process-identity.ts';
import type { RunHead } from './run-head.ts';
import { Signature, type Signer } from './signing.ts';

const Opened = z.looseObject({
  type: z.literal('opened'),
  at: z.string(),
  run: z.string(),
  process: ProcessIdentity,
  /** The key by which the end of the run will be signed. */
  key: z.string().optional(),
});
const Ended = z.looseObject({
  type: z.enum(['closed', 'interrupted']),
  at: z.string(),
  run: z.string(),
  records: z.int().min(0),
  head: Sha256,
  packBytes: z.int().min(0),
  signature: Signature.optional(),
  /** Of an interrupted run: what stood after its last whole line. */
  torn: z.looseObject({ bytes: z.int().min(1), sha256: Sha256 }).optional(),
});
/** How `actions.jsonl` stood after an action. */
const Acted = z.looseObject({
  type: z.literal('acted'),
  actions: z.looseObject({ records: z.int().min(0), head: Sha256 }),
});
const HeadRecord = z.discriminatedUnion('type', [Opened, Ended]);

/** What heads.jsonl knows of one run. */
export interface RunHeads {
  readonly run: RunId;
  readonly opened?: z.infer<typeof Opened>;
  /** The last word: a run that was held for dead and still closed is closed. */
  readonly ended?: z.infer<typeof Ended>;
}

/** The heads of all runs: how each was opened, and how its files stood at its end. */
export interface Heads {
  /** Flushed when it returns. Throws GateError `locked` or the system's error. */
  opened(run: RunId): void;
  closed(run: RunId, head: RunHead): void;
  /** Marks unended runs as interrupted; `find` is asked under the lock, so that two gates never mark the same run. */
  interrupted(find: (heads: ReadonlyMap<RunId, RunHeads>) => readonly (RunHead & { run: RunId })[]): void;
  read(): Map<RunId, RunHeads>;
  /** Only the runs that were opened and have no end: quick among thousands. */
  unended(): Map<RunId, RunHeads>;
}

/** Makes the access to `heads.jsonl`. With a signer the heads of closed runs are signed. */
export function createHeads(paths: Pick<GatePaths, 'heads' | 'lock'>, signer?: Signer): Heads {
  const log = createChainedLog({ file: paths.heads, lock: paths.lock });
  return {
    opened(run) {
      const key = signer === undefined ? {} : { key: signer.key };
      log.append({ type: 'opened', fields: { run, process: ownIdentity(), ...key } });
    },
    closed(run, head) {
      const signed = signer === undefined ? {} : { signature: signer.sign(run, head) };
      log.append({ type: 'closed', fields: { run, ...head, ...signed } });
    },
    interrupted(find) {
      log.update((text) =>
        find(parseUnended(text)).map((fields): NewRecord => ({ type: 'interrupted', fields })),
      );
    },
    read: () => parseHeads(readText(paths.heads)),
    unended: () => parseUnended(readText(paths.heads)),
  };
}

/** Reads the lines of heads.jsonl; lines that are no head (recovered, damaged, of a later version) say nothing. */
export function parseHeads(text: string): Map<RunId, RunHeads> {
  const heads = new Map<RunId, RunHeads>();
  for (const line of text.split('\n')) {
    const record = parseHead(line);
    if (record === undefined) continue;
    const known = heads.get(record.run) ?? { run: record.run };
    if (record.type === 'opened') heads.set(record.run, { ...known, opened: record });
    // A later `interrupted` takes nothing back from a `closed`.
    else if (record.type === 'closed' || known.ended?.type !== 'closed') {
      heads.set(record.run, { ...known, ended: record });
    }
  }
  return heads;
}

/** The last thing that the text of heads.jsonl says of `actions.jsonl`. */
export function lastActed(text: string): LogHead | undefined {
  const line = text.split('\n').findLast((each) => each.includes('"type":"acted"'));
  const record = Acted.safeParse(line === undefined ? undefined : parseRecord(line)).data;
  return record?.actions;
}

/** By text first: each start of a gate asks, and to parse thousands of lines takes longer than all the rest. */
function parseUnended(text: string): Map<RunId, RunHeads> {
  const opened = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, type, run] = /"type":"(opened|closed|interrupted)".*?"run":"([^"]*)"/.exec(line) ?? [];
    if (run === undefined) continue;
    if (type === 'opened') opened.set(run, line);
    else opened.delete(run);
  }
  return parseHeads([...opened.values()].join('\n'));
}

function parseHead(line: string): z.infer<typeof HeadRecord> | undefined {
  return line === '' ? undefined : HeadRecord.safeParse(parseRecord(line)).data;
}
