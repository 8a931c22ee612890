import { rmSync } from 'node:fs';
import { GateError, messageOf } from '../core/errors.ts';
import type { Recorder } from '../core/exchange.ts';
import type { RunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import type { RunStart } from '../core/record.ts';
import { createHeads, type Heads } from '../store/heads.ts';
import type { RunHead } from '../store/run-head.ts';
import { auditUnavailable, openRun, type RunWriter } from '../store/run-writer.ts';
import { markInterrupted } from '../store/runs.ts';
import { loadSigner } from '../store/signing.ts';
import { type Counter, type Counts, createCounter } from './counts.ts';
import { createMasker, type Masker } from './mask.ts';
import { loadMaskKey } from './mask-key.ts';
import type { Observer } from './observer.ts';
import { createRecorder } from './recorder.ts';
import type { RefusedTarget } from './refused-targets.ts';

/** The known fields of a record, without its envelope. */
type FieldsOf<Record> = {
  [Key in keyof Record as string extends Key
    ? never
    : Key extends 'v' | 'seq' | 'type' | 'at' | 'prev'
      ? never
      : Key]: Record[Key];
};
/** What `run.start` says of the run; `argv` is given as it is and stored masked. */
export type RunStartFacts = FieldsOf<RunStart>;

/** How the command ended. */
export interface RunEndFacts {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** The record of one run, from its start to its end. */
export interface RunRecord {
  readonly run: RunId;
  /** For the engine. */
  readonly recorder: Recorder;
  readonly masker: Masker;
  counts(): Counts;
  /** What was refused and a list entry would let through, most frequent first. */
  refusedTargets(): RefusedTarget[];
  /** Adds a record of the run's own (`list.reload` …). Resolves when written. */
  note(type: string, fields: object): Promise<void>;
  /**
   * Adds the analysis of an exchange (its id is in `fields`); `content` is the JSON of its texts and becomes the
   * record's `content` body. Resolves when written.
   */
  analysis(seq: number, fields: object, content: Buffer): Promise<void>;
  /** Lets somebody follow the exchanges that begin from now on. */
  observe(observer: Observer): void;
  /** Counts the flags of an exchange, and what could not be analysed; flags are distinct (host, code). */
  readonly counter: Pick<Counter, 'flag' | 'add'>;
  /** Calls once when the record can no longer be written; at once if that is so. */
  onFailure(listener: (failure: GateError) => void): void;
  /** Ends what is open; nothing may begin any more. */
  finish(): Promise<void>;
  /** Ends what is open, writes `run.end`, closes the files and notes their head. */
  end(facts: RunEndFacts): Promise<RunHead>;
}

/** The files of a run that may yet come to nothing. */
export interface OpenedRecord {
  /**
   * Notes the run in `heads.jsonl` and makes `run.start` durable. Rejects with GateError `audit_unavailable`; then
   * nothing may be started.
   */
  begin(start: Omit<RunStartFacts, 'run'>): Promise<RunRecord>;
  /** Removes the files of a run that never began. */
  discard(): Promise<void>;
}

export interface RecordOptions {
  /** Sign the run's head when it is closed. Default false. */
  readonly signHeads?: boolean;
}

/**
 * Creates the files of a run, and marks runs whose gate died: to be done while the jail is being made. Throws
 * GateError `audit_unavailable`.
 */
export function openRecord(paths: GatePaths, run: RunId, options: RecordOptions = {}): OpenedRecord {
  const startedMs = performance.now();
  const { dir, ...files } = runPaths(paths, run);
  const { masker, writer, heads } = unlessUnavailable(() => ({
    masker: createMasker(loadMaskKey(paths)),
    writer: openRun({ dir, ...files }),
    heads: createHeads(paths, options.signHeads === true ? loadSigner(paths) : undefined),
  }));
  unlessUnavailable(() => markInterrupted(paths));
  return {
    async begin(start) {
      const { op } = writer.append('run.start', { run, ...start, argv: masker.argv(start.argv) });
      const durable = writer.durable(op);
      // After the files, since a head without its files means that they were removed.
      unlessUnavailable(() => heads.opened(run));
      await durable;
      return begun({ run, masker, writer, heads, startedMs });
    },
    async discard() {
      await writer.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Begun {
  readonly run: RunId;
  readonly masker: Masker;
  readonly writer: RunWriter;
  readonly heads: Heads;
  readonly startedMs: number;
}

function begun({ run, masker, writer, heads, startedMs }: Begun): RunRecord {
  const counter = createCounter();
  let observer: Observer | undefined;
  const recorder = createRecorder({ run, writer, masker, counter, observer: () => observer });
  return {
    run,
    recorder,
    masker,
    counts: recorder.counts,
    refusedTargets: recorder.refusedTargets,
    note: async (type, fields) => writer.written(writer.append(type, fields).op),
    analysis: (seq, fields, content) => writeAnalysis(writer, seq, fields, content),
    observe(given) {
      observer = given;
    },
    counter,
    finish: recorder.finish,
    onFailure: writer.onFailure,
    async end(facts) {
      await recorder.finish();
      const durationMs = Math.round(performance.now() - startedMs);
      writer.append('run.end', { ...facts, counts: recorder.counts(), durationMs });
      const head = await writer.close();
      heads.closed(run, head);
      return head;
    },
  };
}

/** Whatever keeps the record from being made keeps the run from being started. */
function unlessUnavailable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof GateError ? error : auditUnavailable(messageOf(error), error);
  }
}

async function writeAnalysis(writer: RunWriter, seq: number, fields: object, content: Buffer): Promise<void> {
  const meta = { exchange: seq, side: 'content', type: 'application/json' } as const;
  const { op } = writer.append('analysis', fields, { content: { kind: 'whole', meta, bytes: content } });
  await writer.written(op);
}
