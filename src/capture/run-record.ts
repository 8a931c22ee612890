import { GateError, messageOf } from '../core/errors.ts';
import type { Recorder } from '../core/exchange.ts';
import type { RunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import type { RunStart } from '../core/record.ts';
import { createHeads, type Heads } from '../store/heads.ts';
import { auditUnavailable, openRun, type RunWriter } from '../store/run-writer.ts';
import { markInterrupted } from '../store/runs.ts';
import type { RunHead } from '../store/worker-protocol.ts';
import type { Counts } from './counts.ts';
import { createMasker, type Masker } from './mask.ts';
import { loadMaskKey } from './mask-key.ts';
import { createRecorder } from './recorder.ts';

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
  /** Adds a record of the run's own (`list.reload` …). Resolves when written. */
  note(type: string, fields: object): Promise<void>;
  /**
   * Adds the analysis of an exchange (its id is in `fields`); `content` is the JSON of its texts and becomes the
   * record's `content` body. Resolves when written.
   */
  analysis(seq: number, fields: object, content: Buffer): Promise<void>;
  /** Calls once when the record can no longer be written; at once if that is so. */
  onFailure(listener: (failure: GateError) => void): void;
  /** Ends what is open, writes `run.end`, closes the files and notes their head. */
  end(facts: RunEndFacts): Promise<RunHead>;
}

/**
 * Begins the record of a run: marks runs whose gate died, creates the files, notes the run in `heads.jsonl` and
 * makes `run.start` durable. Rejects with GateError `audit_unavailable`; then nothing may be started.
 */
export async function startRecord(paths: GatePaths, start: RunStartFacts): Promise<RunRecord> {
  const startedMs = performance.now();
  const { masker, writer, heads } = prepare(paths, start.run);
  await writer.durable(writer.append('run.start', { ...start, argv: masker.argv(start.argv) }).op);
  const recorder = createRecorder({ run: start.run, writer, masker });
  return {
    run: start.run,
    recorder,
    masker,
    counts: recorder.counts,
    note: async (type, fields) => writer.written(writer.append(type, fields).op),
    analysis: (seq, fields, content) => writeAnalysis(writer, seq, fields, content),
    onFailure: writer.onFailure,
    async end(facts) {
      await recorder.finish();
      const durationMs = Math.round(performance.now() - startedMs);
      writer.append('run.end', { ...facts, counts: recorder.counts(), durationMs });
      const head = await writer.close();
      heads.closed(start.run, head);
      return head;
    },
  };
}

function prepare(paths: GatePaths, run: RunId): { masker: Masker; writer: RunWriter; heads: Heads } {
  try {
    const masker = createMasker(loadMaskKey(paths));
    // First the files, then the word that they exist: a head without its files means that they were removed.
    const writer = openRun(runPaths(paths, run));
    const heads = createHeads(paths);
    heads.opened(run);
    markInterrupted(paths);
    return { masker, writer, heads };
  } catch (error) {
    throw error instanceof GateError ? error : auditUnavailable(messageOf(error), error);
  }
}

async function writeAnalysis(writer: RunWriter, seq: number, fields: object, content: Buffer): Promise<void> {
  const meta = { exchange: seq, side: 'content', type: 'application/json' } as const;
  const { op } = writer.append('analysis', fields, { content: { kind: 'whole', meta, bytes: content } });
  await writer.written(op);
}
